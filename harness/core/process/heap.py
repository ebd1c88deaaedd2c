"""Gives memory that is free inside this process back to the system."""

import ctypes

__all__ = ["give_back"]


def give_back() -> None:
    """Return to the system what the C library keeps of freed memory; elsewhere than under glibc, do nothing.

    A model's arrays come in all sizes. Without this, each phase of a run would leave behind the most that it ever took.
    """
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # macOS and musl have none; Windows has no library of this name
        return
    trim(0)
