"""A limit on what a stranger's template or regular expression may take where it runs, in time and in memory."""

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

__all__ = ["CPU_S", "MEMORY_BYTES", "OverLimit", "data_bytes", "end_where_stuck", "time_limit"]

CPU_S = 5.0
"""On the processor, for one text; a sound template or pattern takes a thousandth of it."""
MEMORY_BYTES = 256 << 20
"""Beyond what the process has when the block begins."""
_SOON_S = 0.01
_AGAIN_S = 0.5
"""The alarm is given again for as long as the block lasts: what it raises may be caught inside."""
_STUCK_S = 2.0
"""So much later the process is ended, where it may be: one step of another language's hears no alarm."""
_SAID = (
    b"harness: what a task, a template or a data file has to do takes too long in a single step, and can't be stopped "
    b"there. What was computed is kept: mend it, or leave the task out\n"
)

_may_end = False
_latest: "_Timer | None" = None


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
    match, but no single step in another language does: the making of one long text meets the bound on memory, and what
    takes none, such as to compare lists that hold each other, ends the process after `end_where_stuck`. Time is
    bounded in the main thread alone, since no other gets signals, and memory on Linux alone.
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


def end_where_stuck() -> None:
    """From here on a block in which no alarm is heard ends this process, with one line and exit code 2.

    On Linux; elsewhere nothing changes. As for a bus error, a handler of Python's own would wait for the step's end.
    """
    global _may_end
    if sys.platform == "linux" and not _may_end:
        _may_end = True
        library = ctypes.CDLL(None)
        library.signal.restype = ctypes.c_void_p
        library.signal(signal.SIGVTALRM, _HANDLER)


def _end_overdue(_signal: int) -> None:
    if _latest is not None and _latest.is_overdue():
        os.write(2, _SAID)
        os._exit(2)


_HANDLER = ctypes.CFUNCTYPE(None, ctypes.c_int)(_end_overdue)
"""Kept here, since the system keeps no reference to it."""


class _Timer:
    """Raises `_Alarm` in the main thread once that thread has spent its time on the processor."""

    def __init__(self, cpu_s: float) -> None:
        self.cpu_s = cpu_s
        self.expired = False
        self._armed = False
        self._began_s = self._left_s = 0.0
        self._outer: Any = None
        self._around: _Timer | None = None

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
        self._around = _latest
        self._count_down(self, self.cpu_s)

    def stop(self) -> None:
        """Count no more, and let the block around this one go on."""
        if not self._armed:
            return
        self._armed = False
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, self._outer)
        left_s = max(self._left_s - self._spent_s(), _SOON_S) if self._left_s else 0.0
        self._count_down(self._around, left_s)

    def is_overdue(self) -> bool:
        """Whether the block lasts longer than any alarm would let it."""
        return self._spent_s() > self.cpu_s + _STUCK_S / 2

    def _spent_s(self) -> float:
        return time.thread_time() - self._began_s

    @staticmethod
    def _count_down(timer: "_Timer | None", left_s: float) -> None:
        global _latest
        _latest = timer
        signal.setitimer(signal.ITIMER_PROF, left_s)
        if _may_end:
            signal.setitimer(signal.ITIMER_VIRTUAL, left_s and left_s + _STUCK_S, _AGAIN_S)

    def _ring(self, _signal: int, _frame: FrameType | None) -> None:
        if not self._armed:
            return
        # The timer counts what other threads do as well, such as torch's while they wait for work.
        left_s = self.cpu_s - self._spent_s()
        if left_s > 0:
            signal.setitimer(signal.ITIMER_PROF, max(left_s, _SOON_S))
            return
        self.expired = True
        signal.setitimer(signal.ITIMER_PROF, _AGAIN_S)
        if _may_end:
            _end_overdue(_signal)  # which may have called this one before its own first step
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
