"""Ctrl-C and SIGTERM during a run: it ends within seconds whatever it is at, and says how to go on."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["GRACE_S", "INTERRUPTED", "interruptible"]

GRACE_S = 4.0
"""What tidying up may take. Every response that was given is on the disk by then."""

INTERRUPTED = "interrupted: nothing already computed is lost; the same command goes on from here"

_EXIT_CODE = 3
_DONE = b"\0"
"""No signal's number. That the pipe is closed tells nothing: copies of this process hold it open too."""
_BY_USER = 128 + signal.SIGINT


@contextmanager
def interruptible() -> Iterator[None]:
    """Within the block a first signal gets `GRACE_S` to be heeded as `KeyboardInterrupt`; a second ends at once.

    A signal's handler waits for the end of a forward pass, which may be long, so a thread watches beside it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    watch = threading.Thread(target=_watch, args=(reader,), name="interrupts", daemon=True)
    watch.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.write(writer, _DONE)
        watch.join()
        os.close(writer)
        os.close(reader)


def _watch(reader: int) -> None:
    """Reads the numbers of signals as they come; ends with the block."""
    stop = threading.Event()
    count = 0
    while _DONE not in (numbers := os.read(reader, 64)):
        count += sum(number in (signal.SIGINT, signal.SIGTERM) for number in numbers)
        if count > 1:
            os._exit(_BY_USER)
        if count == 1:
            threading.Thread(target=_expire, args=(stop,), daemon=True).start()
    stop.set()


def _expire(stop: threading.Event) -> None:
    if not stop.wait(GRACE_S):
        os.write(2, f"\n{INTERRUPTED}\n".encode())
        os._exit(_EXIT_CODE)
