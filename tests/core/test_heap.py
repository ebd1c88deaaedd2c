"""Memory that is free inside the process goes back to the system."""

import sys

import psutil
import pytest

from harness.core.process.heap import give_back

PIECE_BYTES = 100_000
"""Too small for the C library to ask the system for each by itself."""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc is asked")
def test_freed_memory_is_given_back_although_something_behind_it_is_in_use() -> None:
    pieces = [bytearray(b"x") * PIECE_BYTES for _ in range(1000)]
    last = bytearray(b"x") * PIECE_BYTES
    pieces.clear()
    before = psutil.Process().memory_info().rss
    give_back()
    assert before - psutil.Process().memory_info().rss > 0.8 * 1000 * PIECE_BYTES
    assert last
