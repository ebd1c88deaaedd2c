"""A limit on what a test may take, so that what reads without end fails instead of ending the machine."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOM_BYTES = 1 << 29


@contextmanager
def bounded_memory() -> Iterator[None]:
    """Inside, this process may take half a gigabyte more than it has."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (mapped + ROOM_BYTES, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
