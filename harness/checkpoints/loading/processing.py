"""Reads a processor from a folder of files that were checked: what prepares pictures or sounds for a model."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import transformers
from PIL import Image

from harness.checkpoints.loading.confined import CPU_S
from harness.checkpoints.loading.rehearsal import tried_apart
from harness.checkpoints.loading.tokenizing import unopened_files
from harness.checkpoints.senses.hearing import RATES_HZ
from harness.checkpoints.senses.processors import require_processor
from harness.core.errors import CheckpointError

__all__ = ["read_processor", "rehearsed_processor"]

_NEEDED = {"torchvision": "Torchvision", "torchaudio": "Torchaudio", "librosa": "librosa", "timm": "timm"}
"""Packages that some processors need, and how transformers' errors spell them."""
_PILLOW = "pil"
_TRIAL_SIZE = (48, 64)
_TRIAL_S = 0.5


def read_processor(folder: Path, *, trust_remote_code: bool = False) -> Any:
    """The processor in a folder, by transformers, in whose place Pillow prepares pictures where there is a choice.

    So the numbers don't depend on which other package is installed. Raises `CheckpointError` for a folder without one,
    and for one that needs a package that isn't there.
    """
    require_processor(folder)
    options = {"local_files_only": True, "trust_remote_code": trust_remote_code, **unopened_files(folder)}
    try:
        processor = _read(folder, options)
    except ImportError as error:
        package = next((name for name, spelt in _NEEDED.items() if spelt in str(error) or name in str(error)), None)
        if package is None:
            raise
        raise CheckpointError(
            f"its processor needs the package {package}, which is not installed",
            place=folder,
            fix=f"pip install {package}, of the version that belongs to the installed torch",
        ) from error
    if getattr(processor, "tokenizer", None) is None:
        raise TypeError(f"a {type(processor).__name__} is no processor with a tokenizer")
    _settle_hearing(processor, folder)
    if processor.tokenizer.chat_template is None:
        processor.tokenizer.chat_template = getattr(processor, "chat_template", None)
    return processor


def _settle_hearing(processor: Any, folder: Path) -> None:
    """No noise is added, whatever the files say. Raises `CheckpointError` for a rate that no sound is brought to."""
    extractor = _extractor(processor)
    rate_hz = getattr(extractor, "sampling_rate", None)
    low, high = RATES_HZ
    if extractor is not None and not (type(rate_hz) is int and low <= rate_hz <= high):
        raise CheckpointError(
            f"sampling_rate is {str(rate_hz)[:60]}, which is not a whole number from {low:,} to {high:,}",
            place=folder,
            fix="Take the files of the processor from the checkpoint's publisher",
        )
    if hasattr(extractor, "dither"):
        extractor.dither = 0.0


def _extractor(processor: Any) -> Any:
    """What makes features of a sound; None for a processor of pictures alone."""
    return getattr(processor, "feature_extractor", None) or getattr(processor, "audio_processor", None)


def _read(folder: Path, options: dict[str, Any]) -> Any:
    try:
        return transformers.AutoProcessor.from_pretrained(folder, backend=_PILLOW, **options)
    except ImportError as error:  # what prepares videos has no other backend than torchvision
        if _PILLOW not in str(error):
            raise
        return transformers.AutoProcessor.from_pretrained(folder, **options)


def rehearsed_processor(folder: Path) -> AbstractContextManager[Callable[[], None]]:
    """The trial of a processor with one small picture or sound: its sizes are a stranger's numbers.

    What waits for it raises `CheckpointError`.
    """
    return tried_apart(partial(_prepare, folder), folder, CPU_S, "the processor of pictures or sounds")


def _prepare(folder: Path) -> str | None:
    processor = read_processor(folder)
    pictures, sounds = getattr(processor, "image_processor", None), _extractor(processor)
    if pictures is not None:
        pictures(images=[Image.new("RGB", _TRIAL_SIZE, "grey")], return_tensors="pt")
    if sounds is not None:
        silence = np.zeros(int(_TRIAL_S * sounds.sampling_rate), dtype=np.float32)
        sounds([silence], sampling_rate=sounds.sampling_rate, return_tensors="pt")
    return None
