"""The user's cache of checkpoints that the harness converted itself, and what it believes of them."""

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock
from safetensors import SafetensorError

from harness.core.errors import CheckpointError
from harness.core.process.paths import cache_folder

__all__ = ["CONVERSION", "CONVERTER_VERSION", "conversions", "is_ours", "kept_conversion"]

CONVERSION = "conversion.json"
"""The file in which a converter says what it did (the checkpoint's notes), and the SHA-256 of each file it wrote."""

CONVERTER_VERSION = 3
"""Goes up whenever the converter can give other files for the same GGUF file."""

logger = logging.getLogger(__name__)


def conversions() -> Path:
    """The folder with a folder for each conversion."""
    return cache_folder() / "converted"


def is_ours(folder: Path) -> bool:
    """Whether the harness made the folder; what another's `conversion.json` says is worth nothing."""
    return folder.resolve().parent == conversions().resolve()


def kept_conversion(name: str, source: Path, convert: Callable[[Path], None]) -> Path:
    """The folder of a conversion of `source`, by its `name` in the cache; made by `convert` where there is none yet.

    One that has lost a file, or part of one, is made anew and that is logged. Raises `CheckpointError` where the cache
    can't be used, and what `convert` raises.
    """
    target = conversions() / name
    if _is_whole(target):
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(target.with_name(f"{target.name}.lock")):
            if not _is_whole(target):
                _convert(source, target, convert)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"can't be converted into {target} ({error})",
            place=source,
            fix="Make room there, or set HARNESS_CACHE to a folder with room",
        ) from error
    return target


def _convert(source: Path, target: Path, convert: Callable[[Path], None]) -> None:
    """Convert under another name, and rename once all is written. The caller holds the lock on `target`."""
    unfinished = target.with_name(f"{target.name}.partial")
    if target.exists():
        logger.info("the conversion in the cache is damaged, and is made anew: %s", target)
    logger.info("converting %s to safetensors, once", source)
    try:
        # Whatever is there was left by a process that died: it would hold the lock otherwise.
        for left in (unfinished, target):
            shutil.rmtree(left, ignore_errors=True)
        convert(unfinished)
        unfinished.replace(target)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _is_whole(target: Path) -> bool:
    """Whether every file that the converter wrote is there at its full size; digests are compared on inspection."""
    try:
        written = json.loads((target / CONVERSION).read_bytes())["files"]
        return all((target / name).stat().st_size == file["size_bytes"] for name, file in written.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
