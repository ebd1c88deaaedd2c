"""What a run has to do, worked out before anything is loaded: samples, requests, and a digest of them all."""

import inspect
import logging
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from harness.core import registry
from harness.core.checkpoints import Checkpoint
from harness.core.errors import DataError, HarnessError, PluginError, TaskError
from harness.core.process.isolation import STEP_TIMEOUT_S, StepFailed, attempt, attempt_apart, is_foreign
from harness.core.process.reachable import code_digest
from harness.core.requests import Conversation, GenerateUntil, Request, Response
from harness.core.tasks import Row, Sample, Task
from harness.core.text.hashing import digest
from harness.core.text.reasons import Reason
from harness.data import find, load_data
from harness.record import TaskSpec
from harness.suitefiles.selection import PlannedTask
from harness.tasks.exemplars import in_turns

__all__ = [
    "EXECUTES_CODE",
    "NO_REFERENCE",
    "Phase",
    "SkippedTask",
    "TaskWork",
    "applicable",
    "phases",
    "prepare",
    "text_length",
    "tokens_about",
    "with_failure",
]

EXECUTES_CODE = Reason("it runs the programs that the model writes, which needs --allow-code-execution")
NO_REFERENCE = Reason("it holds the model against another one, which --reference names")
MAX_CHARACTERS = 4_000_000
"""Of a text that a model is asked about: a million tokens of English."""
_CHARACTERS_A_TOKEN, _READ_FOR_WRITTEN = 4, 8
"""About so many characters are a token, and writing one costs as much as reading some."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskWork:
    """One task of a run with its samples, and the requests of each sample in the task's order.

    `follow_ups` are what the task went on to ask about each sample in the light of the answers. `failure` says what
    went wrong in the task's own code, where something did: it has no scores then, and its requests stay as they are.
    `is_part` says that the samples are a random part of those that its settings give.
    """

    planned: PlannedTask
    samples: tuple[Sample, ...]
    requests: tuple[tuple[Request, ...], ...]
    data_sha256: str | None
    follow_ups: tuple[tuple[Request, ...], ...] = ()
    failure: str | None = None
    is_part: bool = False

    @property
    def place(self) -> tuple[str, str]:
        """Suite and task."""
        return self.planned.suite, self.planned.task.name

    @property
    def asked(self) -> tuple[tuple[Request, ...], ...]:
        """All requests of each sample, follow-ups behind the first ones."""
        if not self.follow_ups:
            return self.requests
        return tuple((*first, *later) for first, later in zip(self.requests, self.follow_ups, strict=True))

    @property
    def spec(self) -> TaskSpec:
        """What the run's spec says of it."""
        settings = self.planned.settings
        return TaskSpec(
            suite=self.planned.suite,
            task=self.planned.task.name,
            version=self.planned.task.version,
            limit=settings.limit,
            num_fewshot=settings.num_fewshot,
            sample_count=len(self.samples),
            data_sha256=self.data_sha256,
            requests_sha256=digest([[request.id for request in requests] for requests in self.requests]),
            definition_sha256=digest(dict(self.planned.task.definition)),
            code_sha256=_code_digest(self.planned.task),
            languages=tuple(self.planned.task.languages),
            definition=dict(self.planned.task.definition),
            multiturn=any(sample.exemplars for sample in self.samples),
            is_part=self.is_part,
        )


def _code_digest(task: Task) -> str:
    files = [Path(inspect.getfile(_written(part))) for part in task.code]
    # A class that was made by a call says nothing of the module that made it.
    made_by = registry.source("harness.tasks", task.name)
    return code_digest([*files, *task.scripts, *([made_by] if made_by else [])])


def _written(made: type) -> type:
    """The class itself, or the first above it that stands in a file other than Python's own."""
    return next(one for one in made.__mro__ if one.__module__.partition(".")[0] not in sys.stdlib_module_names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """Requests of one kind of one suite; `name` is `suite/kind`."""

    name: str
    requests: tuple[Request, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedTask:
    """A task that has no meaning for the checkpoint, and why."""

    planned: PlannedTask
    reason: str


def applicable(
    planned: Sequence[PlannedTask],
    checkpoint: Checkpoint,
    *,
    allow_code_execution: bool = True,
    has_reference: bool = True,
    multiturn: bool = False,
) -> tuple[list[PlannedTask], list[SkippedTask]]:
    """The tasks that a checkpoint can be asked, suited to it, and the others with their reason.

    That is its kind, the task's refusal, or that code isn't allowed, or a second model not named. `multiturn` has
    exemplars be turns of a chat.
    """
    kept, skipped = [], []
    for one in planned:
        kind = registry.kind(checkpoint.kind)
        refusals = [refusal for asked in one.task.asks if (refusal := kind.refusal(asked))]
        reason = refusals[0] if refusals else one.task.refusal(checkpoint)
        if not reason and one.task.executes_code and not allow_code_execution:
            reason = EXECUTES_CODE
        if not reason and not has_reference and any(asked.needs_reference for asked in one.task.asks):
            reason = NO_REFERENCE
        if reason:
            skipped.append(SkippedTask(planned=one, reason=reason))
        else:
            kept.append(_suited(one, checkpoint, multiturn))
    return kept, skipped


def _suited(planned: PlannedTask, checkpoint: Checkpoint, multiturn: bool) -> PlannedTask:
    task = planned.task.suited(checkpoint)
    exemplars = planned.settings.num_fewshot if task.supports_fewshot else 0
    return replace(planned, task=task, settings=replace(planned.settings, num_fewshot=exemplars, multiturn=multiturn))


def prepare(planned: Sequence[PlannedTask], *, offline: bool, step_timeout_s: float = STEP_TIMEOUT_S) -> list[TaskWork]:
    """Load the data of each task and make its requests; a plug-in's that fails at that is left with its `failure`.

    A step of a plug-in may take `step_timeout_s`. Raises `DataError`, `TaskError` or `UnavailableError`, and
    `PluginError` where all have failed.
    """
    work = [_prepare(one, offline=offline, step_timeout_s=step_timeout_s) for one in planned]
    if work and all(one.failure for one in work):
        raise PluginError(
            f"its code {work[0].failure}",
            place=work[0].planned.task.name,
            fix="Fix or uninstall the package that registers it",
        )
    return work


def with_failure(one: TaskWork, failed: StepFailed) -> TaskWork:
    """The work, marked as failed and told of."""
    _log.warning("%s/%s failed: its code %s", one.planned.suite, one.planned.task.name, failed)
    return replace(one, failure=str(failed))


def with_follow_ups(
    work: Sequence[TaskWork], responses: Mapping[str, Response], step_timeout_s: float = STEP_TIMEOUT_S
) -> tuple[TaskWork, ...]:
    """The work with what its tasks ask next, every request so far being answered in `responses`."""
    return tuple(_followed(one, responses, step_timeout_s) for one in work)


def _followed(one: TaskWork, responses: Mapping[str, Response], step_timeout_s: float) -> TaskWork:
    task = one.planned.task
    if one.failure or type(task).follow_up is Task.follow_up:
        return one

    def ask() -> list[tuple[Request, ...]]:
        return [
            tuple(task.follow_up(sample, [responses[request.id] for request in asked]))
            for sample, asked in zip(one.samples, one.asked, strict=True)
        ]

    try:
        more = attempt_apart(ask, timeout_s=step_timeout_s) if is_foreign(task.code) else attempt(ask)
    except StepFailed as failed:
        return with_failure(one, failed)
    if not any(more):
        return one
    before = one.follow_ups or ((),) * len(more)
    follow_ups = ((*old, *in_turns(sample, new)) for sample, old, new in zip(one.samples, before, more, strict=True))
    return replace(one, follow_ups=tuple(follow_ups))


def phases(work: Sequence[TaskWork], but_for: Iterable[Phase] = ()) -> list[Phase]:
    """The work in order, each distinct request once: under the suite that asks it first.

    What stands in the phases `but_for` is left out.
    """
    found: dict[str, dict[str, Request]] = {}
    seen = {request.id for phase in but_for for request in phase.requests}
    for suite, request in _asked(work):
        if request.id not in seen:
            seen.add(request.id)
            found.setdefault(f"{suite}/{request.kind}", {})[request.id] = request
    return [Phase(name=name, requests=tuple(requests.values())) for name, requests in found.items()]


def _asked(work: Sequence[TaskWork]) -> Iterator[tuple[str, Request]]:
    for one in work:
        for requests in one.asked:
            for request in requests:
                yield one.planned.suite, request


def _prepare(planned: PlannedTask, *, offline: bool, step_timeout_s: float) -> TaskWork:
    rows, data_sha256 = _rows(planned.task, offline=offline)
    if not is_foreign(planned.task.code):
        return _asking(planned, rows, data_sha256)
    try:
        # Tried apart first and then done here, since a task may remember what its `samples` read.
        attempt_apart(lambda: _tried(planned, rows), timeout_s=step_timeout_s)
        return attempt(lambda: _asking(planned, rows, data_sha256))
    except StepFailed as failed:
        failed.give_back(HarnessError)
        return with_failure(TaskWork(planned=planned, samples=(), requests=(), data_sha256=data_sha256), failed)


def _tried(planned: PlannedTask, rows: Sequence[Row]) -> None:
    with suppress(HarnessError):  # raised again where it counts
        _asking(planned, rows, None)


def _asking(planned: PlannedTask, rows: Sequence[Row], data_sha256: str | None) -> TaskWork:
    task = planned.task
    samples = tuple(task.samples(rows, planned.settings))
    if not samples:
        raise TaskError(
            "no sample is left to evaluate", place=task.name, fix="Give more data, or a smaller --num-fewshot"
        )
    ids = [sample.id for sample in samples]
    if len(set(ids)) < len(ids):
        raise TaskError("two samples have the same id", place=task.name)
    requests = tuple(in_turns(sample, task.requests(sample)) for sample in samples)
    for sample, asked in zip(samples, requests, strict=True):
        _refuse_endless(task, sample, asked)
    return TaskWork(
        planned=planned,
        samples=samples,
        requests=requests,
        data_sha256=data_sha256 or task.data_digest,
    )


def _refuse_endless(task: Task, sample: Sample, requests: Sequence[Request]) -> None:
    """Raise `DataError` for a sample with a text that no model reads, and that would fill the memory as tokens."""
    for request in requests:
        count = max((text_length(getattr(request, name)) for name in request.__dataclass_fields__), default=0)
        if count > MAX_CHARACTERS:
            raise DataError(
                f"sample {sample.id} asks about a text of {count:,} characters; the limit is {MAX_CHARACTERS:,}",
                place=task.name,
                fix="Cut it, or leave the row out",
            )


def text_length(value: object) -> int:
    """The characters of a text, of those in a tuple, or of a chat's turns."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, Conversation):
        return text_length((*value.before, value.opening))
    return sum(map(text_length, value)) if isinstance(value, tuple) else 0


def tokens_about(request: Request) -> float:
    """About how many tokens a request costs, by its texts: a figure that hangs on no model."""
    written = request.max_tokens * _READ_FOR_WRITTEN if isinstance(request, GenerateUntil) else 0
    characters = sum(text_length(getattr(request, name)) for name in request.__dataclass_fields__)
    return written + characters / _CHARACTERS_A_TOKEN


def _rows(task: Task, *, offline: bool) -> tuple[Sequence[Row], str | None]:
    if task.data is None:
        return (), None
    loaded = load_data(find(task.data) if isinstance(task.data, str) else task.data, offline=offline)
    return loaded.rows, loaded.sha256
