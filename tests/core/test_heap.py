"""Memory that is free inside the process goes back to the system, and is looked for only where some may be."""

import gc
import sys

import psutil
import pytest

from harness.core.process.heap import give_back, uncollected

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


@pytest.mark.parametrize("was_on", [True, False])
def test_cycles_are_not_looked_for_meanwhile_and_afterwards_as_before(was_on: bool) -> None:
    before = gc.isenabled()
    (gc.enable if was_on else gc.disable)()
    try:
        with uncollected():
            searches = gc.get_stats()[0]["collections"]
            kept = [[] for _ in range(10 * gc.get_threshold()[0])]  # type: ignore[var-annotated]
            assert gc.get_stats()[0]["collections"] == searches
        assert gc.isenabled() is was_on
        assert kept
        with pytest.raises(ImportError), uncollected():
            raise ImportError
        assert gc.isenabled() is was_on
    finally:
        (gc.enable if before else gc.disable)()
