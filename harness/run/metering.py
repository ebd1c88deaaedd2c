"""The one meter of a machine, and the work that is repeated under it until the energy of a token is known well."""

import logging
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock, Timeout
from typing_extensions import override

from harness.core import registry
from harness.core.errors import HarnessError, RecordError
from harness.core.meters import IDLE, REPEATS, SERVER, WARM_UP, Instrument, Meter, NullMeter, Publish, Window
from harness.core.models import Model, answered, respond
from harness.core.process.isolation import StepFailed, attempt, is_foreign
from harness.core.process.progress import Progress
from harness.core.requests import GenerateUntil, Request
from harness.core.tasks import Suite
from harness.core.text.reasons import Reason
from harness.core.token_energy import SERVE, STAGES, is_settled
from harness.run.pauses import PauseWatch, WatchedMeter
from harness.run.summed_meter import SummedMeter
from harness.run.work import Phase, TaskWork

__all__ = [
    "METERS",
    "is_measuring",
    "machine_meter",
    "measure_idle",
    "repeat",
    "repeated_requests",
    "server_meter",
    "warm_up",
    "windows_of",
]

T = TypeVar("T")

METERS = "harness.meters"

_log = logging.getLogger(__name__)

WARM_UP_REQUESTS, WARM_UP_TOKENS = 4, 4
REPEATS_S = 24.0
"""No repetition begins that would end later than this after the first began."""
REPEAT_S = 2.0
"""A repetition lasts this long at least, so that no instrument is too slow for a fast model."""

_IDLE_S = 2.0
_IDLE_READINGS = 3
_BUSY = "another run measures energy on this machine, and each would count the work of the other"


class _AbsentMeter(NullMeter):
    """Says of each phase why its energy is not known."""

    def __init__(self, publish: Publish, reason: str) -> None:
        self._publish, self._reason = publish, reason

    @contextmanager
    @override
    def phase(self, name: str) -> Iterator[None]:
        begun = time.monotonic()
        try:
            yield
        finally:
            self.tell(name, time.monotonic() - begun)

    def tell(self, name: str, duration_s: float) -> None:
        """Publish a window that has no energy."""
        self._publish(
            Window(
                phase=name,
                duration_s=duration_s,
                energy_joules=None,
                basis="estimated",
                source="no meter",
                reason=self._reason,
            )
        )


class _GuardedMeter(Meter):
    """A meter of a plug-in, whose failure costs the run nothing but the energy from there on."""

    def __init__(self, meter: Meter, publish: Publish) -> None:
        self._meter, self._publish = meter, publish
        self._absent: _AbsentMeter | None = None

    @property
    def has_failed(self) -> bool:
        """Whether there is no energy any more."""
        return self._absent is not None

    @contextmanager
    @override
    def phase(self, name: str) -> Iterator[None]:
        begun = time.monotonic()
        try:
            with ExitStack() as stack:
                block = None if self._absent else self._heed(lambda: self._meter.phase(name))
                if block is not None and self._heed(lambda: (block.__enter__(),)) is not None:
                    stack.push(lambda *raised: self._leave(block, raised))
                yield
        finally:
            if self._absent is not None:
                self._absent.tell(name, time.monotonic() - begun)

    @override
    def stage(self, name: str) -> None:
        if self._absent is None:
            self._heed(lambda: self._meter.stage(name))

    @override
    def count(self, *, tokens: int, requests: int) -> None:
        if self._absent is None:
            self._heed(lambda: self._meter.count(tokens=tokens, requests=requests))

    @override
    def close(self) -> None:
        self._heed(self._meter.close)

    def _leave(self, block: AbstractContextManager[None], raised: tuple[Any, ...]) -> bool:
        """Never true: what the work inside raised goes on its way."""
        self._heed(lambda: block.__exit__(*raised), but_for=raised[1])
        return False

    def _heed(self, step: Callable[[], T], but_for: BaseException | None = None) -> T | None:
        try:
            return attempt(step)
        except StepFailed as failed:
            failed.give_back(HarnessError)
            if failed.__cause__ is not but_for:
                _log.warning("no energy is measured any more: the meter %s", failed)
                self._absent = _AbsentMeter(self._publish, Reason("the meter {failed}", failed=str(failed)))
            return None


@contextmanager
def machine_meter(name: str, publish: Publish, region: str | None, progress: Progress) -> Iterator[Meter]:
    """The meter of that name, or `none`. A machine has one: while another run holds it, energy is absent, with that.

    Whatever looks at a whole machine would count one run's work in the other's too. The operating system lets the lock
    go when its holder dies. Windows in which the process was paused have no energy. Raises `UnknownName` or
    `PluginError`, and what the meter itself raises for a region.
    """
    if name == "none":
        yield NullMeter()
        return
    lock = FileLock(Path(tempfile.gettempdir()) / "responsible-eval-harness-meter.lock", blocking=False, mode=0o666)
    try:
        lock.acquire()
    except Timeout:
        progress.note(f"no energy is measured: {_BUSY}")
        yield _AbsentMeter(publish, _BUSY)
        return
    except OSError as error:
        raise RecordError(
            f"the lock of the energy meter can't be held ({error.strerror})",
            place=lock.lock_file,
            fix="Fix its permissions, or set TMPDIR to another folder, or run with --meter none",
        ) from error
    try:
        with suppress(OSError):  # the umask took away what other users need to hold it in their turn
            Path(lock.lock_file).chmod(0o666)

        def made(keep: Publish) -> Meter:
            meter: Meter = registry.make(METERS, name, keep, region)
            return meter

        with PauseWatch() as watch, closing(WatchedMeter(made, publish, watch)) as meter:
            yield _GuardedMeter(meter, publish) if is_foreign([type(meter.inner)]) else meter
    finally:
        lock.release()


@contextmanager
def server_meter(instrument: Instrument, publish: Publish, region: str | None) -> Iterator[Meter]:
    """The meter of a model whose server counts its own energy: no pause of this machine changes that."""
    with closing(registry.load(METERS, SERVER)(publish, region, instrument)) as meter:
        yield meter


def measure_idle(meter: Meter, progress: Progress) -> None:
    """Let the machine rest under the meter, several times."""
    for _ in range(_IDLE_READINGS):
        if not is_measuring(meter):
            return
        progress.phase("idle power")
        with meter.phase(IDLE):
            time.sleep(_IDLE_S)


def repeated_requests(work: Sequence[TaskWork], suites: Sequence[Suite]) -> list[Request]:
    """The distinct requests of the tasks that a suite of the run wants to be repeated; empty where there are none."""
    tasks = {(suite.name, suite.repeated) for suite in suites if suite.repeated}
    asked = [
        request
        for one in work
        if (one.planned.suite, one.planned.task.name) in tasks
        for requests in one.requests
        for request in requests
    ]
    return list({request.id: request for request in asked}.values())


def warm_up(model: Model, requests: Sequence[Request], meter: Meter) -> None:
    """Answer a few requests briefly for nothing, so that what only a first answer costs is in no figure."""
    if not is_measuring(meter):
        return
    brief = [
        replace(one, max_tokens=min(one.max_tokens, WARM_UP_TOKENS)) if isinstance(one, GenerateUntil) else one
        for one in requests[:WARM_UP_REQUESTS]
    ]
    with meter.phase(WARM_UP):
        for _ in respond(model, brief):
            pass


def repeat(
    model: Model,
    requests: Sequence[Request],
    meter: Meter,
    windows: Callable[[], Sequence[Window]],
    progress: Progress,
) -> None:
    """Answer the requests again under the meter, until the energy of a token is known well, or time is up.

    No answer is kept. `windows` gives those of the requests so far, their first answers among them. What would end
    later than `REPEATS_S` after the beginning is not begun, judged by the longest time that it took before.
    """
    if not is_measuring(meter) or not requests:
        return
    batches = model.plan(requests)
    longest = sum(window.duration_s for window in windows() if window.phase != REPEATS)
    begun = time.monotonic()
    progress.phase("repeating, for the energy of a token")
    while time.monotonic() - begun + longest <= REPEATS_S:
        started = time.monotonic()
        with meter.phase(REPEATS):
            while time.monotonic() - started < REPEAT_S:
                for _ in answered(model, batches):
                    pass
        longest = max(longest, time.monotonic() - started)
        read = [one for one in windows() if one.phase == REPEATS and one.energy_joules is not None]
        if not read or all(is_settled(read, stage) for stage in (*STAGES, SERVE)):
            return


def windows_of(requests: Sequence[Request], todo: Sequence[Phase], windows: Sequence[Window]) -> list[Window]:
    """The windows in which the requests were answered, first or again."""
    wanted = {request.id for request in requests}
    names = {phase.name for phase in todo if any(request.id in wanted for request in phase.requests)}
    return [window for window in windows if window.phase in names or window.phase == REPEATS]


def is_measuring(meter: Meter) -> bool:
    """Whether it is an instrument; one of a plug-in may well build on `NullMeter`."""
    if isinstance(meter, SummedMeter):
        return meter.is_measuring
    if isinstance(meter, _GuardedMeter):
        return not meter.has_failed
    if isinstance(meter, WatchedMeter):
        return is_measuring(meter.inner)
    return type(meter) not in (NullMeter, _AbsentMeter)
