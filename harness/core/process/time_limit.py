"""A limit on what a stranger's template or regular expression may take where it runs, in time and in memory."""

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

__all__ = ["CPU_S", "MEMORY_BYTES", "OverLimit", "data_bytes", "time_limit"]

CPU_S = 3.0
"""On the processor, for one text; a sound template or pattern takes a thousandth of it."""
MEMORY_BYTES = 256 << 20
"""Beyond what the process has when the block begins."""
_SOON_S = 0.01
_AGAIN_S = 0.5
"""The alarm is given again for as long as the block lasts: what it raises may be caught inside."""


class OverLimit(Exception):  # noqa: N818 - its message follows the name of what took too much
    """Something took more than it may; the message says how much it may."""


class _Alarm(BaseException):
    """What ends the block; no `Exception`, since a stranger's code, or the library that runs it, may catch those."""

    def __init__(self, timer: "_Timer") -> None:
        super().__init__()
        self.timer = timer


@contextmanager
def time_limit(cpu_s: float = CPU_S, memory_bytes: int | None = MEMORY_BYTES) -> Iterator[None]:
    """Within the block this process may spend `cpu_s` seconds on the processor and take `memory_bytes` more memory.

    A signal ends what takes longer. Python's own code heeds it between two steps, its regular expressions while they
    match, but no single step in another language does, such as the making of one long text: that is what the bound
    on memory is for. Time is bounded in the main thread alone, since no other gets signals, and memory on Linux alone.
    Blocks may stand in one another; the nearer limit holds. None leaves memory as it is. Raises `OverLimit`.
    """
    timer = _Timer(cpu_s)
    try:
        timer.start()
        try:
            with _memory(memory_bytes):
                yield
        finally:
            timer.stop()
    except MemoryError as error:
        if memory_bytes is None:
            raise
        raise OverLimit(f"takes more than {memory_bytes / 2**20:,.0f} MB of memory") from error
    except (Exception, _Alarm) as error:
        if not timer.expired or (isinstance(error, _Alarm) and error.timer is not timer):
            raise
    if timer.expired:
        raise OverLimit(f"takes more than {cpu_s:g} seconds")


class _Timer:
    """Raises `_Alarm` in the main thread once that thread has spent its time on the processor."""

    def __init__(self, cpu_s: float) -> None:
        self.cpu_s = cpu_s
        self.expired = False
        self._armed = False
        self._began_s = self._left_s = 0.0
        self._outer: Any = None

    def start(self) -> None:
        """Begin to count, unless this is another thread, or a block around this one ends before it would."""
        if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
            return
        self._left_s, _ = signal.getitimer(signal.ITIMER_PROF)
        if 0 < self._left_s <= self.cpu_s:
            return
        self._outer = signal.getsignal(signal.SIGPROF)
        self._began_s = time.thread_time()
        self._armed = True
        signal.signal(signal.SIGPROF, self._ring)
        signal.setitimer(signal.ITIMER_PROF, self.cpu_s)

    def stop(self) -> None:
        """Count no more, and let the block around this one go on."""
        if not self._armed:
            return
        self._armed = False
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, self._outer)
        if self._left_s:
            left_s = self._left_s - (time.thread_time() - self._began_s)
            signal.setitimer(signal.ITIMER_PROF, max(left_s, _SOON_S))

    def _ring(self, _signal: int, _frame: FrameType | None) -> None:
        if not self._armed:
            return
        # The timer counts what other threads do as well, such as torch's while they wait for work.
        left_s = self.cpu_s - (time.thread_time() - self._began_s)
        if left_s > 0:
            signal.setitimer(signal.ITIMER_PROF, max(left_s, _SOON_S))
            return
        self.expired = True
        signal.setitimer(signal.ITIMER_PROF, _AGAIN_S)
        raise _Alarm(self)


@contextmanager
def _memory(memory_bytes: int | None) -> Iterator[None]:
    if memory_bytes is None or sys.platform != "linux":
        yield
        return
    import resource

    before = resource.getrlimit(resource.RLIMIT_DATA)
    bound = data_bytes() + memory_bytes
    if before[0] != resource.RLIM_INFINITY:
        bound = min(bound, before[0])
    resource.setrlimit(resource.RLIMIT_DATA, (bound, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def data_bytes() -> int:
    """What of this process that bound counts, and its stacks; 0 where the system doesn't tell."""
    if sys.platform != "linux":
        return 0
    import resource

    return int(Path("/proc/self/statm").read_bytes().split()[5]) * resource.getpagesize()
