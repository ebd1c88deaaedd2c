"""Steps of code that isn't ours: one that raises, hangs or ends its process must not take the whole run with it."""

import ctypes
import gc
import logging
import multiprocessing
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

__all__ = ["STEP_TIMEOUT_S", "StepFailed", "attempt", "attempt_apart", "begun_apart", "detach", "is_foreign"]

STEP_TIMEOUT_S = 600.0
"""What a step of a plug-in may take unless the user says otherwise; ours take seconds."""

T = TypeVar("T")

_OURS = frozenset({"harness", "suites", "probes", "lm_eval"})
_PR_SET_PDEATHSIG = 1

_log = logging.getLogger(__name__)


class StepFailed(Exception):  # noqa: N818 - not an error of ours: its message becomes the reason why a score is absent
    """A step gave no result; the message says why, in words that follow the name of what failed."""

    def give_back(self, *kinds: type[Exception]) -> None:
        """Raise what the step raised here if it is of one of the kinds, such as what a user can mend."""
        if isinstance(self.__cause__, kinds):
            raise self.__cause__ from self


def is_foreign(code: Iterable[type]) -> bool:
    """Whether any of the classes comes from another package than the harness and what it stands on."""
    return any(one.__module__.partition(".")[0] not in _OURS for one in code)


def attempt(step: Callable[[], T]) -> T:
    """The step's result. Raises `StepFailed` for whatever it raises, the wish to end the process included."""
    try:
        return step()
    except (Exception, SystemExit) as error:
        _log.debug("%s", traceback.format_exc())
        raise StepFailed(_told(error)) from error


def attempt_apart(step: Callable[[], T], *, timeout_s: float) -> T:
    """The result of a step that runs in a copy of this process, which may hang, crash or end without harm.

    Whatever the step changes is gone with the copy; only its result comes back, pickled. Where processes can't be
    copied safely (elsewhere than on Linux), the step runs here, and its time has no limit. Raises `StepFailed`.
    """
    with begun_apart(step, timeout_s=timeout_s) as result:
        return result()


@contextmanager
def begun_apart(step: Callable[[], T], *, timeout_s: float) -> Iterator[Callable[[], T]]:
    """As `attempt_apart`, beside what the block does: it is given what waits for the result, and may be called once.

    Whatever has no result at the end of the block is ended.
    """
    if sys.platform != "linux":
        yield partial(attempt, step)
        return
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(step, theirs))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the copy takes no lock that another thread may hold
        process.start()
    theirs.close()
    try:
        yield partial(_result, process, ours, timeout_s)
    finally:
        process.kill()
        process.join()
        ours.close()


def _result(process: Any, ours: Connection, timeout_s: float) -> Any:
    """What the copy sends, waiting for it so long at most."""
    try:
        if process.sentinel in wait([ours, process.sentinel], timeout_s):
            process.join()
        if not ours.poll():
            raise StepFailed(_ending(process.exitcode, timeout_s))
        succeeded, result = ours.recv()
    except (EOFError, OSError) as error:
        process.join()
        raise StepFailed(_ending(process.exitcode, timeout_s)) from error
    if not succeeded:
        reason, trace = result
        _log.debug("%s", trace)
        raise StepFailed(reason)
    return result


def _run(step: Callable[[], Any], connection: Connection) -> None:
    """Inside the copy: run the step, and send what came of it."""
    detach()
    gc.freeze()  # to look for cycles among what the original holds would copy all of it
    try:
        message: tuple[bool, Any] = (True, step())
    except BaseException as error:  # even a panic of a Rust library has to be told
        message = (False, (_told(error), traceback.format_exc()))
    try:
        connection.send(message)
    except Exception as error:  # pickle raises anything
        connection.send((False, (f"gave a result that can't be passed on: {_told(error)}", traceback.format_exc())))


def detach() -> None:
    """In a copy of a process: leave the terminal, the log and the signals to the original, and end when it does."""
    logging.disable(logging.CRITICAL)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)  # the threads of OpenMP don't live on in a copy, and waiting for them never ends


def _told(error: BaseException) -> str:
    first = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    if isinstance(error, SystemExit):
        return f"tried to end the process (exit code {error.code})"
    return f"raised {type(error).__name__}" + (f": {first}" if first else "")


def _ending(exit_code: int | None, timeout_s: float) -> str:
    if exit_code is None:
        return f"took more than {timeout_s:g} s"
    if exit_code < 0:
        return f"died of {signal.Signals(-exit_code).name}"
    return f"ended its process (exit code {exit_code})"
