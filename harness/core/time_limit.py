"""A limit on what a stranger's template or regular expression may take where it runs, in time and in memory."""

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

__all__ = ["CPU_S", "MEMORY_BYTES", "OverLimit", "time_limit"]

CPU_S = 3.0
"""On the processor, for one text; a sound template or pattern takes a thousandth of it."""
MEMORY_BYTES = 256 << 20
"""Beyond what the process has when the block begins."""
_AGAIN_S = 0.05
"""The alarm is given again for as long as the block lasts: what it raises may be caught inside."""


class OverLimit(Exception):  # noqa: N818 - its message follows the name of what took too much
    """Something took more than it may; the message says how much it may."""


class _Alarm(BaseException):
    """What ends the block; no `Exception`, since a stranger's code, or the library that runs it, may catch those."""


@contextmanager
def time_limit(cpu_s: float = CPU_S, memory_bytes: int = MEMORY_BYTES) -> Iterator[None]:
    """Within the block this process may spend `cpu_s` seconds on the processor and take `memory_bytes` more memory.

    A signal ends what takes longer. Python's own code heeds it between two steps, its regular expressions while they
    match, but no single step in another language does, such as the making of one long text: that is what the bound
    on memory is for. Time is bounded in the main thread alone, since no other gets signals, and memory on Linux alone.
    Blocks may stand in one another; the nearer limit holds. Raises `OverLimit`.
    """
    try:
        with _time(cpu_s), _memory(memory_bytes):
            yield
    except MemoryError as error:
        raise OverLimit(f"takes more than {memory_bytes / 2**20:,.0f} MB of memory") from error


@contextmanager
def _time(cpu_s: float) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return
    armed, expired, began_s = True, False, time.thread_time()

    def ring(_signal: int, _frame: FrameType | None) -> None:
        nonlocal expired
        # The timer counts what other threads do as well, such as torch's while they wait for work.
        if armed and time.thread_time() - began_s >= cpu_s:
            expired = True
            raise _Alarm

    left_s, _ = signal.getitimer(signal.ITIMER_PROF)
    outer = signal.getsignal(signal.SIGPROF)
    if left_s and left_s <= cpu_s:  # the block around this one ends before this would
        yield
        return
    signal.signal(signal.SIGPROF, ring)
    try:
        signal.setitimer(signal.ITIMER_PROF, cpu_s, _AGAIN_S)
        yield
    except BaseException:
        armed = False
        if not expired:
            raise
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, outer)
        if left_s:
            left_s -= time.thread_time() - began_s
            signal.setitimer(signal.ITIMER_PROF, max(left_s, _AGAIN_S), _AGAIN_S)
    if expired:
        raise OverLimit(f"takes more than {cpu_s:g} seconds")


@contextmanager
def _memory(memory_bytes: int) -> Iterator[None]:
    if sys.platform != "linux":
        yield
        return
    import resource

    before = resource.getrlimit(resource.RLIMIT_DATA)
    bound = _data_bytes() + memory_bytes
    if before[0] != resource.RLIM_INFINITY:
        bound = min(bound, before[0])
    resource.setrlimit(resource.RLIMIT_DATA, (bound, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def _data_bytes() -> int:
    """What of this process that bound counts, and its stacks."""
    import resource

    return int(Path("/proc/self/statm").read_bytes().split()[5]) * resource.getpagesize()
