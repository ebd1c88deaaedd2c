"""Whether a checkpoint's files stayed as they were hashed while a run read them."""

from collections.abc import Mapping
from pathlib import Path

from harness.checkpoints.adapter import BASE
from harness.checkpoints.loading.held import stamp_of
from harness.core.checkpoints import Checkpoint, Stamp
from harness.core.text.hashing import file_digest

__all__ = ["changed_files", "missing_files"]


def changed_files(checkpoint: Checkpoint, mapped: Mapping[Path, Stamp]) -> list[str]:
    """The files whose bytes are no longer those that were hashed; only files with another stamp are read again.

    The model may still be reading those that are `mapped`, so that these must not have been written at all: what was
    changed and changed back can't be told from what was only touched.
    """
    paths = {name: _path(checkpoint, name) for name in checkpoint.files}
    touched = [name for name, path in paths.items() if _stamp(path) != mapped.get(path, checkpoint.stamps.get(name))]
    return [name for name in touched if paths[name] in mapped or _digest(paths[name]) != checkpoint.files[name]]


def missing_files(checkpoint: Checkpoint) -> list[Path]:
    """The checkpoint's files that this machine doesn't see."""
    paths = (_path(checkpoint, name) for name in checkpoint.files)
    return [path for path in paths if not path.is_file()]


def _path(checkpoint: Checkpoint, name: str) -> Path:
    if checkpoint.adapter is None:
        return checkpoint.path / name
    under = name.removeprefix(BASE)
    return checkpoint.adapter / name if under == name else checkpoint.path / under


def _stamp(path: Path) -> Stamp | None:
    try:
        return stamp_of(path)
    except OSError:
        return None


def _digest(path: Path) -> str | None:
    try:
        return file_digest(path)
    except OSError:
        return None
