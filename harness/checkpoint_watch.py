"""Whether a checkpoint's files stayed as they were hashed while a run read them."""

from collections.abc import Mapping
from pathlib import Path

from harness.core.checkpoints import Checkpoint
from harness.core.hashing import file_digest

__all__ = ["Stamps", "changed_files", "stamps_of"]

Stamps = Mapping[str, tuple[int, ...] | None]
"""By the file's name: what the file system says of it, and changes with every write; None where it isn't there."""


def stamps_of(checkpoint: Checkpoint) -> Stamps:
    """The stamps of the files of a checkpoint that has just been resolved."""
    return {name: _stamp(_path(checkpoint, name)) for name in checkpoint.files}


def changed_files(checkpoint: Checkpoint, stamps: Stamps) -> list[str]:
    """The files whose bytes are no longer those that were hashed; only files with another stamp are read again."""
    touched = [name for name, stamp in stamps.items() if _stamp(_path(checkpoint, name)) != stamp]
    return [name for name in touched if _digest(_path(checkpoint, name)) != checkpoint.files[name]]


def _path(checkpoint: Checkpoint, name: str) -> Path:
    if checkpoint.adapter is None:
        return checkpoint.path / name
    under = name.removeprefix("base/")
    return checkpoint.adapter / name if under == name else checkpoint.path / under


def _stamp(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


def _digest(path: Path) -> str | None:
    try:
        return file_digest(path)
    except OSError:
        return None
