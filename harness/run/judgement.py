"""From responses to scores to estimates, for every task of a run."""

import json
import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any, Literal

from harness.core.errors import HarnessError
from harness.core.metrics import Metric, Undefined, salt
from harness.core.process.isolation import StepFailed, attempt, attempt_apart, is_foreign
from harness.core.requests import GenerateUntil, Response
from harness.core.scores import Estimate, SampleGroup, Score
from harness.core.statistics import Interval
from harness.core.tasks import Results, Suite
from harness.core.text.hashing import SHORT, digest
from harness.core.text.reasons import Reason
from harness.core.text.truncation import usable
from harness.record import RunSpec, TaskSpec
from harness.run.work import SkippedTask, TaskWork, with_failure
from harness.suitefiles.selection import PlannedTask, Selection

__all__ = [
    "absent_estimates",
    "aggregate_estimates",
    "derive_estimates",
    "estimate_metric",
    "estimate_task",
    "judge_task",
    "run_signature",
    "score_task",
]

_log = logging.getLogger(__name__)


def judge_task(
    work: TaskWork, responses: Mapping[str, Response], spec: RunSpec, *, step_timeout_s: float
) -> tuple[list[Score], list[Estimate]]:
    """The scores and estimates of a task; none and absent ones, with the reason, where its code fails.

    That of a plug-in runs in a process of its own and may take `step_timeout_s`. Raises `HarnessError` for what the
    user can mend before the same command goes on, such as a scorer that can't be loaded.
    """

    def judge() -> tuple[list[Score], list[Estimate]]:
        scores = score_task(work, responses)
        return scores, estimate_task(work, scores, spec)

    if work.failure is None:
        try:
            if is_foreign(work.planned.task.code):
                return attempt_apart(judge, timeout_s=step_timeout_s)
            return attempt(judge)
        except StepFailed as failed:
            failed.give_back(HarnessError)
            work = with_failure(work, failed)
    return [], [
        replace(
            _absent(work.planned, metric, spec),
            reason=_failure(str(work.failure)),
            failed=True,
            invalid_count=len(work.samples),
        )
        for metric in work.planned.task.metrics
    ]


def derive_estimates(suite: Suite, results: Results, *, step_timeout_s: float) -> Sequence[Estimate]:
    """What a suite derives from all results; one absent estimate, with the reason, where its code fails."""
    try:
        if is_foreign([type(suite)]):
            return attempt_apart(lambda: suite.derive(results), timeout_s=step_timeout_s)
        return attempt(lambda: suite.derive(results))
    except StepFailed as failed:
        _log.warning("the suite %s failed: its code %s", suite.name, failed)
        return [_failed(suite.name, "all", "derived", failed, results.signature)]


def score_task(work: TaskWork, responses: Mapping[str, Response]) -> list[Score]:
    """The scores of every sample of a task, in the order of its samples."""
    found: list[Score] = []
    for sample, requests in zip(work.samples, work.asked, strict=True):
        read = [usable(sample, request, responses[request.id]) for request in requests]
        scores = work.planned.task.score(sample, read)
        truncated = any(response.unread_character_count for response in read)
        found += [replace(score, truncated=True) for score in scores] if truncated else scores
    return found


def estimate_task(work: TaskWork, scores: Sequence[Score], spec: RunSpec) -> list[Estimate]:
    """One estimate for each metric of a task, and for each group that it is reported by, in the task's order."""
    before, after = _task_signature(work, spec), run_signature(spec)
    return [
        estimate_metric(
            metric,
            chosen,
            suite=work.planned.suite,
            task=work.planned.task.name,
            group=group,
            seed=spec.seed,
            signature="|".join(filter(None, (before, metric.signature, after))),
        )
        for metric in work.planned.task.metrics
        for group, chosen in _grouped(metric, [score for score in scores if score.metric == metric.name])
    ]


def _grouped(metric: Metric, scores: Sequence[Score]) -> Iterator[tuple[SampleGroup | None, list[Score]]]:
    """All scores (of the main group, if the metric has one), then those of each group, groups in alphabetical order."""
    yield None, [score for score in scores if metric.main_group.items() <= score.groups.items()]
    for attribute in metric.by:
        for value in sorted({score.groups[attribute] for score in scores if attribute in score.groups}):
            group = SampleGroup(attribute, value)
            yield group, list(filter(group.holds, scores))


def estimate_metric(
    metric: Metric,
    scores: Sequence[Score],
    *,
    suite: str,
    task: str,
    seed: int,
    signature: str,
    group: SampleGroup | None = None,
) -> Estimate:
    """What the valid scores amount to; absent, with the reason, where none is valid or the metric is undefined."""
    valid = [score for score in scores if score.invalid is None]
    interval, reason = None, None
    if not valid:
        reason = "no sample counts for it"
        if scores:
            first = scores[0].invalid or ""
            reason = (
                Reason("none of {count} samples could be used: {reason}", count=len(scores), reason=first)
                if len(scores) > 1
                else Reason("the only sample could not be used: {reason}", reason=first)
            )
    elif group is not None and len(valid) < metric.smallest_group:
        reason = Reason(
            "a group of {samples} is too small: at least {least} are needed",
            samples=len(valid),
            least=metric.smallest_group,
        )
    else:
        try:
            interval = _finite(metric.reduce(valid, Random(salt(seed, suite, task, metric.name, group))))
        except Undefined as undefined:
            reason = undefined.reason
    return Estimate(
        suite=suite,
        task=task,
        metric=metric.name,
        group=group,
        value=interval.value if interval else None,
        stderr=interval.stderr if interval else None,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        interval=interval.method if interval else None,
        left_out=interval.left_out if interval else (),
        p_value=interval.p_value if interval else None,
        n=len(valid),
        invalid_count=len(scores) - len(valid),
        tie_count=sum(score.tie for score in valid),
        truncated_count=sum(score.truncated for score in valid),
        unit=metric.unit,
        direction=metric.direction,
        target=metric.target,
        basis=metric.basis,
        signature=signature,
        reason=reason,
    )


def _finite(found: Interval) -> Interval:
    """Without errors that are no numbers, such as an end beyond the largest. Raises `Undefined` for such a value."""
    if not math.isfinite(found.value):
        raise Undefined(Reason("the metric gives {value}, which is not a number", value=str(found.value)))
    if all(one is None or math.isfinite(one) for one in (found.stderr, found.low, found.high)):
        return found
    return replace(found, stderr=None, low=None, high=None, method=None)


def absent_estimates(skipped: Sequence[SkippedTask], spec: RunSpec) -> list[Estimate]:
    """The metrics of tasks that have no meaning for the run's kind of checkpoint, each absent with the reason."""
    return [
        replace(_absent(one.planned, metric, spec), reason=one.reason, applies=False)
        for one in skipped
        for metric in one.planned.task.metrics
    ]


def aggregate_estimates(selection: Selection, estimates: Sequence[Estimate], spec: RunSpec) -> list[Estimate]:
    """What sums up several tasks of the selection, such as groups of lm-eval's; absent where that fails."""
    tasks = [one.task for one in selection.planned]
    found: list[Estimate] = []
    for one in selection.aggregates:
        signature = f"aggregate:{one.definition_sha256[:SHORT]}|{run_signature(spec)}"
        try:
            found += attempt(partial(one.estimates, tasks, estimates, signature))
        except StepFailed as failed:
            _log.warning("%s can't be summed up: its code %s", one.name, failed)
            found.append(_failed(one.suite, one.name, "aggregate", failed, signature))
    return found


def _failure(what: str) -> Reason:
    return Reason("failed: the code of the task or suite {what}", what=what)


def _failed(suite: str, task: str, metric: str, failed: StepFailed, signature: str) -> Estimate:
    return Estimate(
        suite=suite,
        task=task,
        metric=metric,
        value=None,
        n=0,
        unit="none",
        direction="higher",
        signature=signature,
        reason=_failure(str(failed)),
        failed=True,
    )


def _absent(planned: PlannedTask, metric: Metric, spec: RunSpec) -> Estimate:
    return Estimate(
        suite=planned.suite,
        task=planned.task.name,
        metric=metric.name,
        value=None,
        n=0,
        unit=metric.unit,
        direction=metric.direction,
        target=metric.target,
        basis=metric.basis,
        signature=run_signature(spec),
        reason="",
    )


def run_signature(spec: RunSpec) -> str:
    """What every score of a run depends on, in the manner of sacrebleu: `key:value` joined by bars."""
    return "|".join(
        (
            f"model:{spec.fingerprint[:SHORT]}",
            f"kind:{spec.kind}",
            f"dtype:{spec.dtype}",
            f"device:{spec.device}",
            *([f"reference:{spec.reference['fingerprint'][:SHORT]}"] if spec.reference else []),
            *_chat_signature(spec),
            f"seed:{spec.seed}",
            *(f"{name}:{version}" for name, version in sorted(spec.versions.items())),
        )
    )


def _chat_signature(spec: RunSpec) -> Iterator[str]:
    yield f"chat:{'yes' if spec.apply_chat_template else 'no'}"
    if spec.chat_date:
        yield f"date:{spec.chat_date}"
    if spec.system_prompt:
        yield f"system:{digest(spec.system_prompt)[:SHORT]}"
    if spec.thinking:
        yield f"thinking:{spec.thinking}"


def _task_signature(work: TaskWork, run: RunSpec) -> str:
    of = (work.planned.suite, work.planned.task.name)
    spec = next(one for one in run.tasks if (one.suite, one.task) == of)  # what `work.spec` would find out again
    writes = any(isinstance(request, GenerateUntil) for asked in work.asked for request in asked)
    written = f"|generation:{_settings(run.generation)}" if writes else ""
    drawn = work.planned.task.definition.get("sampling")
    written += f"|sampling:{_settings(drawn)}" if drawn else ""
    data = spec.data_sha256[:SHORT] if spec.data_sha256 else "in-task"
    shown = f"|exemplars:{_exemplars(work, spec, run)}" if run.apply_chat_template and spec.num_fewshot else ""
    defined = f"|definition:{spec.definition_sha256[:SHORT]}" if work.planned.task.definition else ""
    return (
        f"task:{spec.task}|v:{spec.version}|n:{spec.sample_count}|fewshot:{spec.num_fewshot}{shown}"
        f"|data:{data}|requests:{spec.requests_sha256[:SHORT]}{defined}{written}"
    )


def _exemplars(work: TaskWork, spec: TaskSpec, run: RunSpec) -> Literal["turns", "one-turn"]:
    """How they stand in the chat: as the user wants it in a task of ours, or as a task makes its chats itself."""
    makes_chats = any(getattr(request, "chat", None) for asked in work.asked for request in asked)
    return "turns" if spec.multiturn or (makes_chats and run.fewshot_as_multiturn) else "one-turn"


def _settings(followed: Mapping[str, Any]) -> str:
    """The checkpoint's own settings for writing, long ones by their digest."""
    values = {name: json.dumps(value, separators=(",", ":")) for name, value in sorted(followed.items())}
    shown = {name: digest(followed[name])[:SHORT] if len(text) > SHORT else text for name, text in values.items()}
    return ",".join(f"{name}={text}" for name, text in shown.items()).replace("|", "") or "none"
