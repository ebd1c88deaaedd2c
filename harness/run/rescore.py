"""Scores made again from the recorded answers, and estimates from the scores: without the model, by the tasks' code.

A seal says that a record is as it was written, and a signature who vouches for it; neither says that its scores are
what its answers give. See `harness.run.rerun` for whether the answers are the checkpoint's.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core import registry
from harness.core.checkpoints import Checkpoint
from harness.core.errors import HarnessError
from harness.core.process.progress import Progress, Quiet
from harness.core.requests import Response
from harness.core.scores import Estimate, Score
from harness.core.tasks import Task, TaskSettings
from harness.decision.derived import contradictions
from harness.decision.keys import key_of
from harness.decision.scored import Scored
from harness.record import RunRecord, RunSpec, TaskSpec
from harness.record.environment import package_versions
from harness.record.metrics import RecordedMetric
from harness.record.samples import read_rows
from harness.record.tables import as_recorded, response_row, score_row
from harness.run.asking import known_rounds
from harness.run.judgement import judge_task
from harness.run.sequential.parts import part_of
from harness.run.work import EXECUTES_CODE, TaskWork, prepare
from harness.suitefiles.selection import PlannedTask, rebuilt, select
from harness.tasks.options import TaskOptions

__all__ = ["Rescore", "rescore"]

_AGREES = 1e-6
_STEP_S = 600.0
_CODE = "harness-code"
_NUMBERS = ("value", "stderr", "low", "high")
_COUNTS = ("n", "invalid_count", "tie_count", "truncated_count", "unit", "direction", "target", "basis", "interval")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescore:
    """What came of it: the tasks that were scored again, as `SUITE/TASK`; those that could not be, with the reason;
    and what of the record its own answers, scores and energy windows contradict."""

    rescored: tuple[str, ...]
    left_out: Mapping[str, str]
    differences: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing contradicts the record."""
        return not self.differences


class _Other(Exception):  # noqa: N818 - not an error: it becomes the reason why a task is left out
    """A task can't be scored again here; the message says why."""


def rescore(
    record: RunRecord,
    suites: Sequence[str] = (),
    progress: Progress | None = None,
    *,
    allow_code_execution: bool = False,
) -> Rescore:
    """Score the answers of a sealed run again, as far as its tasks, data and code are at hand; nothing is fetched.

    `suites` are the suite files of the user's that the run was made with: their data are in no package. Tasks that run
    what the model wrote are left out unless `allow_code_execution`. Raises `HarnessError` for one that can't be read,
    and for a record that can't be.
    """
    progress, spec = progress or Quiet(), record.spec
    scored = Scored(record)
    differences, done, left_out = contradictions(scored), [], {}
    own = _own(suites, spec)
    answers, rows = record.answers, _Rows(record)
    progress.begin(len(spec.tasks))
    for task in spec.tasks:
        name = f"{task.suite}/{task.task}"
        progress.phase(name)
        try:
            work = _work(record, task, own, allow_code_execution=allow_code_execution)
            differences += _of_task(work, answers, rows, scored)
            done.append(name)
        except _Other as other:
            left_out[name] = str(other)
        except HarnessError as error:
            left_out[name] = f"it can't be made again here: {error}"
        progress.advance()
    return Rescore(rescored=tuple(done), left_out=left_out, differences=tuple(differences))


def _own(suites: Sequence[str], spec: RunSpec) -> Mapping[tuple[str, str], Task]:
    if not suites:
        return {}
    found = select(suites, [], limit=None, num_fewshot=None, seed=spec.seed, options=TaskOptions(offline=True))
    return {(one.suite, one.task.name): one.task for one in found.planned}


def _work(
    record: RunRecord, task: TaskSpec, own: Mapping[tuple[str, str], Task], *, allow_code_execution: bool
) -> TaskWork:
    """The task as the run prepared it. Raises `_Other` where it is another one here, `HarnessError`."""
    mine = own.get((task.suite, task.task))
    made = mine.as_recorded(task.definition) if mine else rebuilt(task.task, task.definition)
    if made.executes_code and not allow_code_execution:
        raise _Other(EXECUTES_CODE)
    settings = TaskSettings(
        limit=task.limit, num_fewshot=task.num_fewshot, seed=record.spec.seed, multiturn=task.multiturn
    )
    planned = PlannedTask(suite=task.suite, task=made.suited(_checkpoint(record)), settings=settings)
    (work,) = prepare([planned], offline=True)
    if task.is_part:
        work = part_of(work, task.sample_count, record.spec.seed)
    here = work.spec
    if (here.version, here.code_sha256, here.definition_sha256) != (
        task.version,
        task.code_sha256,
        task.definition_sha256,
    ):
        raise _Other("its code or definition here is not that of the run")
    if here.data_sha256 != task.data_sha256:
        raise _Other("its data here are not those of the run")
    if here.requests_sha256 != task.requests_sha256:
        raise _Other("it asks something else here than the run did")
    return work


def _checkpoint(record: RunRecord) -> Checkpoint:
    """What tasks ask of a checkpoint before they make their prompts; no file of it is needed."""
    spec = record.spec
    # A kind of a package that isn't here is none whose chat is known.
    is_chat = spec.kind in registry.names("harness.engines") and registry.kind(spec.kind).is_chat
    return Checkpoint(
        ref=spec.model,
        kind=spec.kind,
        path=Path(),
        origin="",
        architecture="",
        dtype=spec.dtype,
        parameter_count=None,
        size_bytes=None,
        max_length=None,
        has_chat_template=spec.apply_chat_template or is_chat,
        files={},
        fingerprint=spec.fingerprint,
        labels=spec.labels,
        source_language=spec.source_language,
        target_language=spec.target_language,
    )


class _Rows:
    """The recorded rows of each task, in their order."""

    def __init__(self, record: RunRecord) -> None:
        self.by_task: dict[str, dict[tuple[str, str], list[dict[str, Any]]]] = {}
        for table in ("responses", "scores"):
            found = self.by_task.setdefault(table, {})
            for row in read_rows(record.folder / f"{table}.parquet"):
                found.setdefault((row["suite"], row["task"]), []).append(row)


def _of_task(work: TaskWork, answers: Mapping[str, Response], rows: _Rows, scored: Scored) -> list[str]:
    """What of a task's answers, scores and estimates in the record is not what its journal gives."""
    spec, suite, name = scored.record.spec, work.planned.suite, work.planned.task.name
    (work,), _, missing = known_rounds([work], answers, _STEP_S)
    if missing:
        return [f"{suite}/{name}: the journal lacks {missing} of its answers"]
    recorded = [
        one for one in scored.listed if (one.suite, one.task) == (suite, name) and key_of(one) not in scored.readings
    ]
    if any(one.failed for one in recorded):
        raise _Other("it failed in the run")
    scores, estimates = judge_task(work, answers, spec, step_timeout_s=_STEP_S)
    asked = [
        response_row(suite, name, sample.id, at, request, answers[request.id], work.planned.task.variant(sample, at))
        for sample, requests in zip(work.samples, work.asked, strict=True)
        for at, request in enumerate(requests)
    ]
    key = (suite, name)
    found = [
        *_differing("answer", rows.by_task["responses"].get(key, []), as_recorded("responses", asked)),
        *_differing("score", rows.by_task["scores"].get(key, []), _score_rows(suite, name, scores)),
        *_metrics(work, scored.record),
        *_estimates(recorded, estimates),
    ]
    if found and (why := _other_making(spec, recorded, estimates)):
        raise _Other(f"{why}, and gives something else here: {found[0]}")
    return found


def _score_rows(suite: str, task: str, scores: Sequence[Score]) -> list[dict[str, Any]]:
    return as_recorded("scores", [score_row(suite, task, score) for score in scores])


def _other_making(spec: RunSpec, recorded: Sequence[Estimate], made: Sequence[Estimate]) -> str | None:
    """Why a difference need not be a lie: other code of the harness, or another judge."""
    here = package_versions()[_CODE]
    if (then := spec.versions.get(_CODE)) != here:
        return f"the run was made with other code of the harness ({then}; here it is {here})"
    signed = {(one.metric, one.group): one.signature for one in recorded}
    if any(signed.get((one.metric, one.group)) not in (None, one.signature) for one in made):
        return "it is signed for other settings than it has here, such as a judge's"
    return None


def _differing(what: str, recorded: Sequence[Mapping[str, Any]], made: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if len(recorded) != len(made):
        place = f"{(recorded or made)[0]['suite']}/{(recorded or made)[0]['task']}"
        yield f"{place}: {len(recorded)} rows of {what}s, where the journal gives {len(made)}"
        return
    for row, other in zip(recorded, made, strict=True):
        for column, value in other.items():
            if column in row and not _same(row[column], value):
                place = f"{other['suite']}/{other['task']}/{other['sample_id']}"
                yield f"{place}: {column} of a {what} is {row[column]!r:.60}, where the journal gives {value!r:.60}"


def _metrics(work: TaskWork, record: RunRecord) -> Iterator[str]:
    """Metrics of the task that are recorded as others; a record of an early version holds none."""
    suite, task = work.planned.suite, work.planned.task
    for metric in task.metrics if record.metrics else ():
        held = record.metrics.get((suite, task.name, metric.name))
        told = held.differences(RecordedMetric.of(metric)) if held else ["it is missing"]
        if told:
            yield f"{suite}/{task.name}/{metric.name} is recorded as another metric than the task has: {told[0]}"


def _estimates(recorded: Sequence[Estimate], made: Sequence[Estimate]) -> Iterator[str]:
    by_key = {key_of(one): one for one in made}
    for one in recorded:
        other = by_key.pop(key_of(one), None)
        if other is None:
            yield f"{key_of(one)} is no estimate of the task"
            continue
        for name in (*_NUMBERS, *_COUNTS):
            if not _same(getattr(one, name), getattr(other, name)):
                yield f"{key_of(one)}: {name} is {getattr(one, name)}, where the scores give {getattr(other, name)}"
    for key in by_key:
        yield f"{key} is missing among the estimates"


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return (math.isnan(one) and math.isnan(other)) or math.isclose(one, other, rel_tol=_AGREES, abs_tol=_AGREES)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)
