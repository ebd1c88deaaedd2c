"""Files of processors: what makes of a picture or a sound the numbers that a model reads."""

from pathlib import Path

from harness.checkpoints.senses.hearing import HEARING_PATTERNS
from harness.core.errors import CheckpointError

__all__ = ["PROCESSOR_PATTERNS", "has_processor", "require_processor"]

PROCESSOR_PATTERNS = (*HEARING_PATTERNS, "video_preprocessor_config.json")
"""Every file that can change what a processor gives, beside those of its tokenizer."""


def has_processor(folder: Path) -> bool:
    """Whether a folder says how pictures or sounds are prepared for its model."""
    return any((folder / name).is_file() for name in HEARING_PATTERNS)


def require_processor(folder: Path) -> None:
    """Raises `CheckpointError` for a folder that doesn't say how pictures or sounds are prepared."""
    if not has_processor(folder):
        raise CheckpointError(
            f"holds no processor ({' or '.join(HEARING_PATTERNS)}), without which no picture or sound can be read",
            place=folder,
            fix="Copy the file there from the checkpoint's publisher; processor.save_pretrained writes it",
        )
