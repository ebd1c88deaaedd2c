"""A bound on the memory of this process, so that a run that needs too much ends and not the work beside it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from harness.core.errors import InputError
from harness.core.process.time_limit import data_bytes

__all__ = ["check_size", "memory_limit"]


def check_size(weights_bytes: int | None, limit_bytes: int | None) -> None:
    """Raises `InputError` where what the process has already and the weights are more than the bound.

    Native code that is refused memory may crash instead of saying so, so what can be told beforehand is.
    """
    if limit_bytes is None:
        return
    needed = data_bytes() + (weights_bytes or 0)
    if needed > limit_bytes:
        raise InputError(
            f"is less than the process and the weights alone take, {needed:,} bytes",
            place=_place(limit_bytes),
            fix="Give more",
        )


@contextmanager
def memory_limit(size_bytes: int | None) -> Iterator[None]:
    """Within the block the process's own data may take `size_bytes` at most; None sets no bound.

    Main memory alone: that of a GPU has its own bounds. Where the bound is met, batches are halved as on a machine
    without more, and what doesn't fit even so is told. Raises `InputError` where the bound is too small to begin, and
    where the system has none for data (it takes Linux).
    """
    if size_bytes is None:
        yield
        return
    place = _place(size_bytes)
    if sys.platform != "linux":
        raise InputError("this system can't limit the memory of a process", place=place, fix="Leave it out")
    import resource

    before = resource.getrlimit(resource.RLIMIT_DATA)
    if before[1] != resource.RLIM_INFINITY:
        size_bytes = min(size_bytes, before[1])
    resource.setrlimit(resource.RLIMIT_DATA, (size_bytes, before[1]))
    try:
        yield
    except Exception as error:
        if not _is_lack_of_memory(error):
            raise
        raise InputError(
            "is too little for this run",
            place=place,
            fix="Give more, or a smaller --batch-tokens or --dtype; what was computed is kept",
        ) from error
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def _place(size_bytes: int) -> str:
    return f"--max-memory of {size_bytes:,} bytes"


def _is_lack_of_memory(error: BaseException | None) -> bool:
    """Whether it, or what it came of, says that memory can't be had: Python, torch and mmap have words of their own."""
    if error is None:
        return False
    said = isinstance(error, MemoryError) or "allocate memory" in str(error)
    return said or _is_lack_of_memory(error.__cause__)
