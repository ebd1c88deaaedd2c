"""Holds a checkpoint's files while it is loaded, so that what is loaded is what was hashed.

A path may lead to other bytes from one moment to the next, and a mapped file changes under whoever mapped it. So each
file is opened once and copied, weights into memory that nobody else can write; the copy is held against the digest, and
the libraries are given a folder of the copies.
"""

import hashlib
import os
import shutil
import stat
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

import psutil

from harness.checkpoints.loading.memory import memory_bytes
from harness.core.checkpoints import Stamp
from harness.core.errors import CheckpointError, HarnessError

__all__ = ["Held", "held", "read_stamped", "stamp_of"]

WEIGHTS = ".safetensors"
CHUNK_BYTES = 1 << 22
SETTLED_NS = 2 * 10**9
"""A file that was written more recently than that could be written again and look the same: clocks are coarse."""
ROOM = 2
"""Times as much memory as the copies take must be free; else the files are mapped where they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A folder with a checkpoint's files, each under its name.

    `mapped` are the files themselves that are no copies, with what they were when they were opened.
    """

    folder: Path
    mapped: Mapping[Path, Stamp]


def read_stamped(path: Path) -> tuple[str, Stamp | None]:
    """A file's SHA-256 and its stamp, both of the same opened file; no stamp where it would say nothing.

    Raises `OSError`.
    """
    with path.open("rb") as stream:
        began = time.time_ns()
        before = stamp_of(stream.fileno())
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        settled = before == stamp_of(stream.fileno()) and abs(began - before[-1]) > SETTLED_NS
    return sha256, before if settled else None


def stamp_of(file: Path | int) -> Stamp:
    """What the file system says of a file, and changes with every write. Raises `OSError`."""
    found = file.stat() if isinstance(file, Path) else os.fstat(file)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


@contextmanager
def held(
    folder: Path, digests: Mapping[str, str], stamps: Mapping[str, Stamp | None], *, copying: bool = True
) -> Iterator[Held]:
    """A folder that leads to exactly the files of `digests`, by their names in `folder`, with just those bytes.

    What is open already stays as it is when the folder is gone. Copies are made where there is memory for them, unless
    `copying` is off; a file that is mapped instead is looked at again in the end. `stamps` spare another reading of
    what hasn't been touched. Errors of ours that name the folder are made to name the checkpoint's. Raises
    `CheckpointError` for a file that isn't there any more, or has other bytes than the digest says.
    """
    with ExitStack() as stack:
        place = Path(stack.enter_context(_own_folder())) / (folder.name or "checkpoint")
        copying = copying and _has_room(folder, digests)
        opened: dict[Path, tuple[int, Stamp]] = {}
        for name, sha256 in digests.items():
            path, target = folder / name, place / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if not name.endswith(WEIGHTS):
                _write(target, path, sha256)
                continue
            descriptor, stamp = _open(path, sha256, stamps.get(name), copying, stack)
            if stamp is not None:
                opened[path] = descriptor, stamp
            _lead(target, path, descriptor)
        try:
            yield Held(folder=place, mapped={path: stamp for path, (_, stamp) in opened.items()})
        except HarnessError as error:
            raise _renamed(error, place, folder) from error
        for path, (descriptor, stamp) in opened.items():
            if stamp_of(descriptor) != stamp:
                raise _changed(path)


def _own_folder() -> "TemporaryDirectory[str]":
    try:
        return TemporaryDirectory(prefix="harness-")
    except OSError as error:
        raise CheckpointError(
            f"no folder can be made there ({error.strerror})", place=gettempdir(), fix="Make room, or set TMPDIR"
        ) from error


def _has_room(folder: Path, names: Iterable[str]) -> bool:
    if sys.platform != "linux":
        return False
    size_bytes = sum((folder / name).stat().st_size for name in names if (folder / name).exists())
    return ROOM * size_bytes < min(psutil.virtual_memory().available, memory_bytes())


def _write(target: Path, path: Path, sha256: str) -> None:
    """Copy a file that is no weights'."""
    digest = hashlib.sha256()
    with ExitStack() as mine:
        descriptor = _descriptor(path, mine)
        try:
            with target.open("wb") as stream:
                for chunk in _chunks(descriptor):
                    digest.update(chunk)
                    stream.write(chunk)
        except OSError as error:
            raise CheckpointError(
                f"can't be copied to {gettempdir()} ({error.strerror})",
                place=path,
                fix="Make room and run the same command again",
            ) from error
    if digest.hexdigest() != sha256:
        raise _changed(path)


def _open(path: Path, sha256: str, known: Stamp | None, copying: bool, stack: ExitStack) -> tuple[int, Stamp | None]:
    """A descriptor of the file's copy, or of the file itself with its stamp; the `stack` closes it."""
    with ExitStack() as mine:
        descriptor = _descriptor(path, mine)
        before = stamp_of(descriptor)
        copy = _copied(descriptor, before[2], stack) if copying else None
        untouched = before == known == stamp_of(descriptor)
        if not untouched and _digest(descriptor if copy is None else copy) != sha256:
            raise _changed(path)
        if copy is not None:
            return copy, None
        stack.push(mine.pop_all())
        return descriptor, before


def _descriptor(path: Path, stack: ExitStack) -> int:
    try:
        # A pipe that has come into the file's place must not be waited for.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise CheckpointError(
            f"can't be read any more ({error.strerror})", place=path, fix="Leave the checkpoint alone, and run again"
        ) from error
    stack.callback(os.close, descriptor)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise _changed(path)
    return descriptor


def _copied(descriptor: int, size_bytes: int, stack: ExitStack) -> int | None:
    """A copy of an open file in memory, which nobody can write any more; None where the system refuses that."""
    import fcntl

    try:
        copy = os.memfd_create("checkpoint", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        stack.callback(os.close, copy)
        left = size_bytes
        while left and (sent := os.sendfile(copy, descriptor, size_bytes - left, min(left, 1 << 30))):
            left -= sent
        fcntl.fcntl(copy, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
    except OSError:  # no memory, or a bound on the size of files
        return None
    return copy


def _digest(descriptor: int) -> str:
    digest = hashlib.sha256()
    for chunk in _chunks(descriptor):
        digest.update(chunk)
    return digest.hexdigest()


def _chunks(descriptor: int) -> Iterator[bytes]:
    offset = 0
    while chunk := os.pread(descriptor, CHUNK_BYTES, offset):
        yield chunk
        offset += len(chunk)


def _lead(target: Path, path: Path, descriptor: int) -> None:
    """Make `target` lead to an open file; to the file's path where the system has no way to what is open."""
    way = Path(f"/proc/self/fd/{descriptor}")
    try:
        target.symlink_to(way if way.exists() else path.resolve())
    except OSError:  # Windows lets few people make links
        shutil.copyfile(path, target)


def _renamed(error: HarnessError, place: Path, folder: Path) -> HarnessError:
    """The same error, which names the checkpoint's own folder."""

    def told(text: str | None) -> str | None:
        return None if text is None else text.replace(str(place), str(folder))

    return type(error)(told(error.problem) or "", place=told(error.place), fix=told(error.fix))


def _changed(path: Path) -> CheckpointError:
    return CheckpointError(
        "changed since it was looked at, or while it was loaded",
        place=path,
        fix="Leave the checkpoint alone, and run again",
    )
