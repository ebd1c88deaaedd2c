"""Reads a processor from a folder of files that were checked: what prepares pictures or sounds for a model."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

import transformers
from PIL import Image

from harness.checkpoints.loading.confined import CPU_S
from harness.checkpoints.loading.rehearsal import tried_apart
from harness.checkpoints.loading.tokenizing import unopened_files
from harness.checkpoints.senses.processors import require_processor
from harness.core.errors import CheckpointError

__all__ = ["read_processor", "rehearsed_processor"]

_NEEDED = {"torchvision": "Torchvision", "torchaudio": "Torchaudio", "librosa": "librosa", "timm": "timm"}
"""Packages that some processors need, and how transformers' errors spell them."""
_PILLOW = "pil"
_TRIAL_SIZE = (48, 64)


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
    if processor.tokenizer.chat_template is None:
        processor.tokenizer.chat_template = getattr(processor, "chat_template", None)
    return processor


def _read(folder: Path, options: dict[str, Any]) -> Any:
    try:
        return transformers.AutoProcessor.from_pretrained(folder, backend=_PILLOW, **options)
    except ImportError as error:  # what prepares videos has no other backend than torchvision
        if _PILLOW not in str(error):
            raise
        return transformers.AutoProcessor.from_pretrained(folder, **options)


def rehearsed_processor(folder: Path) -> AbstractContextManager[Callable[[], None]]:
    """The trial of a processor with one small picture: its sizes are a stranger's numbers.

    What waits for it raises `CheckpointError`.
    """
    return tried_apart(partial(_prepare, folder), folder, CPU_S, "the processor of pictures")


def _prepare(folder: Path) -> str | None:
    pictures = getattr(read_processor(folder), "image_processor", None)
    if pictures is not None:
        pictures(images=[Image.new("RGB", _TRIAL_SIZE, "grey")], return_tensors="pt")
    return None
