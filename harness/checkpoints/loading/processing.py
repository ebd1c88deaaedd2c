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
from harness.checkpoints.senses.processors import PROCESSOR_PATTERNS, has_processor
from harness.core.errors import CheckpointError

__all__ = ["read_processor", "rehearsed_processor"]

_NEEDED = {"torchvision": "Torchvision", "torchaudio": "Torchaudio", "librosa": "librosa", "timm": "timm"}
"""Packages that some processors need, and how transformers' errors spell them."""
_TRIAL_SIZE = (48, 64)


def read_processor(folder: Path, *, trust_remote_code: bool = False) -> Any:
    """The processor in a folder, by transformers, in whose place Pillow prepares pictures where there is a choice.

    So the numbers don't depend on which other package is installed. Raises `CheckpointError` for a folder without one,
    and for one that needs a package that isn't there.
    """
    if not has_processor(folder):
        raise CheckpointError(
            f"holds no processor ({' or '.join(PROCESSOR_PATTERNS[:2])}), without which no picture can be read",
            place=folder,
            fix="Copy the file there from the checkpoint's publisher; processor.save_pretrained writes it",
        )
    try:
        processor = transformers.AutoProcessor.from_pretrained(
            folder,
            backend="pil",
            local_files_only=True,
            trust_remote_code=trust_remote_code,
            **unopened_files(folder),
        )
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
