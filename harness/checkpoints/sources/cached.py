"""The user's cache of checkpoints that the harness converted itself, and what it believes of them."""

from pathlib import Path

from harness.core.process.paths import cache_folder

__all__ = ["CONVERSION", "CONVERTER_VERSION", "conversions", "is_ours"]

CONVERSION = "conversion.json"
"""The file in which a converter says what it did (the checkpoint's notes), and the SHA-256 of each file it wrote."""

CONVERTER_VERSION = 3
"""Goes up whenever the converter can give other files for the same GGUF file."""


def conversions() -> Path:
    """The folder with a folder for each conversion."""
    return cache_folder() / "converted"


def is_ours(folder: Path) -> bool:
    """Whether the harness made the folder; what another's `conversion.json` says is worth nothing."""
    return folder.resolve().parent == conversions().resolve()
