"""What an evaluation would do and take, found without evaluating: nothing is written, and no answer is kept."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.checkpoints.loading.dtypes import SERVED
from harness.checkpoints.loading.loader import Loader
from harness.core.errors import InputError
from harness.core.meters import MEASURING, WARM_UP, Window
from harness.core.models import Batch, Model, answered
from harness.core.process.network import offline_if
from harness.core.process.progress import Progress
from harness.core.requests import GenerateUntil
from harness.core.tasks import Task
from harness.record.seal import SEAL
from harness.run.memory_limit import memory_limit
from harness.run.metering import machine_meter
from harness.run.options import EvalOptions
from harness.run.outlook.live import TRIAL_S
from harness.run.outlook.pace import Pace, first_batches, work_of
from harness.run.pipeline import open_checkpoint
from harness.run.planning import Plan, plan
from harness.run.replicas.sharing import computing_threads
from harness.run.work import TaskWork, phases, tokens_about
from harness.suitefiles.selection import tell_default

__all__ = ["Forecast", "TaskForecast", "forecast"]

_LOAD = "load"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskForecast:
    """What a task asks first, and about how long that takes.

    Requests that an earlier task asks already are not counted. `read_token_count` is None where the tokens are counted
    elsewhere, `duration_s` where it can't be told.
    """

    suite: str
    task: str
    sample_count: int
    request_count: int
    read_token_count: int | None
    written_token_count: int
    duration_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What an evaluation would take.

    Durations go by `tried_count` batches that took `tried_s` seconds; the power by what the meter saw of them, from
    `source`. `load_s` is how long loading took. What has no figure is named in `open_tasks`; `later_tasks` ask more in
    the light of answers, which is in no figure.
    """

    plan: Plan
    tasks: tuple[TaskForecast, ...]
    later_tasks: tuple[str, ...] = ()
    load_s: float | None = None
    tried_count: int = 0
    tried_s: float = 0.0
    power_w: float | None = None
    power_basis: str | None = None
    source: str | None = None
    is_finished: bool = False

    @property
    def duration_s(self) -> float | None:
        """Of all tasks that have one; None where none has."""
        known = [one.duration_s for one in self.tasks if one.duration_s is not None]
        return sum(known) if known else None

    @property
    def open_tasks(self) -> tuple[str, ...]:
        """Tasks whose duration can't be told."""
        return tuple(f"{one.suite}/{one.task}" for one in self.tasks if one.duration_s is None)

    def energy_joules(self, seconds: float | None) -> float | None:
        """Of so long a time; None where the power isn't known."""
        return None if seconds is None or self.power_w is None else self.power_w * seconds


@dataclass(slots=True)
class _Trial:
    """What was seen of the first batches."""

    pace: Pace = field(default_factory=Pace)
    windows: list[Window] = field(default_factory=list)
    load_s: float | None = None
    count: int = 0
    seconds: float = 0.0


def forecast(
    model: str, *, suite: Sequence[str], task: Sequence[str], options: EvalOptions, progress: Progress
) -> Forecast:
    """Plan an evaluation as `evaluate` does, and tell its tokens, time and energy.

    Some batches are answered for that, some seconds long, and thrown away; a served model is asked nothing. Data and
    checkpoints are fetched as ever. Raises `HarnessError`, and `InputError` for processes that share the work.
    """
    if options.replicas.workers is not None or options.tensor_parallel > 1:
        place = "--workers" if options.replicas.workers is not None else "--tensor-parallel"
        raise InputError("shares the work, which can't be forecast", place=place, fix="Leave it out with --dry-run")
    named = (model, options.reference, options.toxicity_model, options.bertscore_model)
    with offline_if(options.offline, *named):
        planned = plan(model, suite=suite, task=task, options=options)
        tell_default(suite, task, progress)
        later = tuple(one.planned.task.name for one in planned.work if _asks_later(one.planned.task))
        is_finished = (options.output / planned.spec.run_id / SEAL).exists()
        trial, batches = _Trial(), {}
        if planned.spec.device != SERVED:
            with memory_limit(options.max_memory_bytes), computing_threads(planned):
                batches = _tried(planned, trial, progress)
    return Forecast(
        plan=planned,
        tasks=tuple(_of_tasks(planned.work, _shares(batches, trial.pace))),
        later_tasks=later,
        load_s=trial.load_s,
        tried_count=trial.count,
        tried_s=trial.seconds,
        is_finished=is_finished,
        **_power(trial.windows),
    )


def _asks_later(task: Task) -> bool:
    return type(task).follow_up is not Task.follow_up


def _tried(planned: Plan, trial: _Trial, progress: Progress) -> dict[str, Sequence[Batch]]:
    """The batches of each phase, as the run would make them, some of which were answered under the meter."""
    spec = planned.spec
    with machine_meter(spec.meter, trial.windows.append, spec.region, progress) as meter:
        begun = time.monotonic()
        model = open_checkpoint(planned, meter, progress, Loader())
        trial.load_s = time.monotonic() - begun
        progress.phase("counting tokens")
        batches = {phase.name: model.plan(phase.requests) for phase in phases(planned.work)}
        progress.phase("trying a few batches")
        with meter.phase(WARM_UP):
            _warmed(model, batches)
        begun = time.monotonic()
        for name, batch, is_first in first_batches(batches):
            spent = time.monotonic() - begun
            if not is_first and spent + (trial.pace.of(name, batch) or TRIAL_S) > TRIAL_S:
                continue
            with meter.phase(name):
                started = time.monotonic()
                for _ in answered(model, [batch]):
                    pass
                trial.pace.saw(name, batch, time.monotonic() - started)
            trial.count += 1
        trial.seconds = time.monotonic() - begun
    return batches


def _warmed(model: Model, planned: Mapping[str, Sequence[Batch]]) -> None:
    """Answer the smallest batch for nothing: a first pass takes longer than all that follow."""
    every = [batch for name, batch, is_first in first_batches(planned) if is_first]
    if every:
        for _ in answered(model, [min(every, key=work_of)]):
            pass


@dataclass(slots=True)
class _Share:
    """What a request has of its batch: tokens and seconds; None where they can't be told."""

    read: float | None
    seconds: float | None


def _shares(planned: Mapping[str, Sequence[Batch]], pace: Pace) -> dict[str, _Share]:
    """Of each request, by its id: a batch is shared out by the lengths of the texts that it reads and may write."""
    shares: dict[str, _Share] = {}
    for name, batches in planned.items():
        for batch in batches:
            seconds = pace.of(name, batch)
            lengths = [1 + tokens_about(request) for request in batch.requests]
            whole = sum(lengths)
            for request, length in zip(batch.requests, lengths, strict=True):
                part = length / whole
                shares[request.id] = _Share(
                    batch.computed_token_count * part, None if seconds is None else seconds * part
                )
    return shares


def _of_tasks(work: Sequence[TaskWork], shares: Mapping[str, _Share]) -> Iterator[TaskForecast]:
    """Each task, by the requests that no earlier one asks."""
    seen: set[str] = set()
    for one in work:
        asked = {request.id: request for requests in one.asked for request in requests if request.id not in seen}
        seen |= asked.keys()
        parts = [shares.get(request, _Share(None, None)) for request in asked]
        read = [part.read for part in parts]
        seconds = [part.seconds for part in parts]
        yield TaskForecast(
            suite=one.planned.suite,
            task=one.planned.task.name,
            sample_count=len(one.samples),
            request_count=len(asked),
            read_token_count=None if None in read else round(sum(filter(None, read))),
            written_token_count=sum(
                request.max_tokens for request in asked.values() if isinstance(request, GenerateUntil)
            ),
            duration_s=None if None in seconds else sum(filter(None, seconds)),
        )


def _power(windows: Sequence[Window]) -> dict[str, Any]:
    """Watts while batches were tried, and where the figure comes from."""
    seen = [one for one in windows if one.phase not in (*MEASURING, _LOAD)]
    read = [one for one in seen if one.energy_joules is not None]
    seconds = sum(one.duration_s for one in read)
    if not seconds:
        return {}
    return {
        "power_w": sum(one.energy_joules or 0.0 for one in read) / seconds,
        "power_basis": "measured" if all(one.basis == "measured" for one in read) else "estimated",
        "source": read[0].source,
    }
