"""Where things are kept for the user."""

import os
from pathlib import Path

import platformdirs

__all__ = ["cache_folder"]


def cache_folder() -> Path:
    """The user's cache for data and converted checkpoints; `HARNESS_CACHE` moves it."""
    moved = os.environ.get("HARNESS_CACHE")
    return Path(moved) if moved else Path(platformdirs.user_cache_dir("responsible-eval-harness"))
