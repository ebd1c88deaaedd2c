"""The user's cache of checkpoints that the harness converted itself, and what it believes of them."""

from pathlib import Path

from harness.core.process.paths import cache_folder

__all__ = ["CONVERSION", "conversions", "is_ours"]

CONVERSION = "conversion.json"
"""The file in which a converter says what it did (the checkpoint's notes), and the SHA-256 of each file it wrote."""


def conversions() -> Path:
    """The folder with a folder for each conversion."""
    return cache_folder() / "converted"


def is_ours(folder: Path) -> bool:
    """Whether the harness made the folder; what another's `conversion.json` says is worth nothing."""
    return folder.resolve().parent == conversions().resolve()
