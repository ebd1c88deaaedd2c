"""Writes that either happen as a whole or not at all, and say so when the disk is full."""

import errno
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.core.errors import RecordError

__all__ = ["PRIVATE", "clear_scratch", "make_folder", "write_new", "write_whole", "writing"]

PRIVATE = 0o600
"""The mode of every file of a record: prompts and answers are for whoever ran them, until that one shares them."""

_SYSTEM = (("dev",), ("proc",))
_ELSEWHERE = "Give another place, or fix its permissions"


@contextmanager
def writing(path: Path, fix: str = _ELSEWHERE) -> Iterator[None]:
    """Turn an `OSError` of the block into one clear `RecordError` about `path`; a full disk has a fix of its own."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            fix = "Make room and run the same command again: it goes on where it stopped"
        raise RecordError(f"can't be written ({error.strerror or error})", place=path, fix=fix) from error


def make_folder(path: Path, fix: str = _ELSEWHERE) -> Path:
    """The folder, made with its parents where it isn't there. Raises `RecordError`, see `writing`."""
    with writing(path, fix):
        path.mkdir(parents=True, exist_ok=True)
    return path


def write_whole(path: Path, content: bytes) -> None:
    """Replace `path` by `content`, durably: after a crash there is the old file or the new one, never a part.

    What the system has in /dev or /proc, such as /dev/null, is written to and never replaced, which root could do.
    Raises `RecordError` where it can't be written.
    """
    with writing(path):
        if path.absolute().parts[1:2] in _SYSTEM:
            path.write_bytes(content)
            return
        descriptor, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            Path(scratch).replace(path)
        except BaseException:
            Path(scratch).unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)


def write_new(path: Path, content: bytes) -> None:
    """Write a file that isn't there yet, as durably as `write_whole`; what is there is never replaced.

    Raises `FileExistsError` where something of that name is there, `RecordError` where it can't be written.
    """
    scratch = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    write_whole(scratch, content)
    try:
        _link(scratch, path)
    finally:
        scratch.unlink(missing_ok=True)
    with writing(path):
        _sync_folder(path.parent)


def _link(scratch: Path, path: Path) -> None:
    try:
        path.hardlink_to(scratch)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if path.is_symlink() or path.exists():
            raise FileExistsError(errno.EEXIST, "exists", str(path)) from None
        with writing(path):
            scratch.rename(path)


def clear_scratch(folder: Path) -> None:
    """Remove what `write_whole` of a process that was killed left in the folder. Raises `RecordError`."""
    with writing(folder):
        for left in folder.glob(".*.????????"):
            left.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
