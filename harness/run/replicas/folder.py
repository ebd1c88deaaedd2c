"""The folder that a cluster of this machine has its sockets and logs in, gone with it, or with who comes next."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock

__all__ = ["cluster_folder"]

_LONGEST = 40
"""Sockets in Ray's folder have names of 60 characters more, and no system takes one of more than 107."""
_PREFIX = "ray-"
_LOCK, _MARK = "harness.lock", "harness.held"
"""Held as long as the owner lives, however it ends; and what says that the lock is held, and the folder ours."""


@contextmanager
def cluster_folder() -> Iterator[Path]:
    """A folder of one's own, short enough for sockets. Those whose owners were killed are removed first."""
    usual = Path(tempfile.gettempdir())
    place = usual if len(str(usual)) <= _LONGEST else Path("/tmp")
    for left in place.glob(f"{_PREFIX}*"):
        with suppress(OSError):  # it is held, or somebody else removes it at the same time
            _remove_if_left(left)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
    try:
        with FileLock(folder / _LOCK):
            (folder / _MARK).touch()
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_if_left(folder: Path) -> None:
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or not (folder / _MARK).exists():
        return
    with FileLock(folder / _LOCK, blocking=False):
        shutil.rmtree(folder, ignore_errors=True)
