"""Gives memory that is free inside this process back to the system, and keeps Python from looking for some in vain."""

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["give_back", "uncollected"]


def give_back() -> None:
    """Return to the system what the C library keeps of freed memory; elsewhere than under glibc, do nothing.

    A model's arrays come in all sizes. Without this, each phase of a run would leave behind the most that it ever took.
    """
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # macOS and musl have none; Windows has no library of this name
        return
    trim(0)


@contextmanager
def uncollected() -> Iterator[None]:
    """Run without Python's search for cycles, such as for large imports: what they make stays, and looking costs time.

    That search took an eighth of the imports of torch and transformers.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
