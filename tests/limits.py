"""Limits on what a test may take: of memory, so that what reads without end fails, and of room on a disk."""

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOM_BYTES = 1 << 29


@contextmanager
def bounded_memory() -> Iterator[None]:
    """Inside, this process may take half a gigabyte more than it has."""
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    with _limited(resource.RLIMIT_AS, mapped + ROOM_BYTES):
        yield


@contextmanager
def files_up_to(size_bytes: int) -> Iterator[None]:
    """Inside, no file may grow beyond a size, nor those of processes that are started there."""
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with _limited(resource.RLIMIT_FSIZE, size_bytes):
            yield
    finally:
        signal.signal(signal.SIGXFSZ, handler)


@contextmanager
def _limited(kind: int, most_bytes: int) -> Iterator[None]:
    before = resource.getrlimit(kind)
    resource.setrlimit(kind, (most_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(kind, before)
