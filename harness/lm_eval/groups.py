"""lm-eval's groups: what their `aggregate_metric_list` makes of the scores of their tasks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lm_eval.api.group import Group

from harness.core.headlines import mean_signature, without_part
from harness.core.scores import Estimate, TaskPart
from harness.core.statistics import mean_of_parts
from harness.core.tasks import Task
from harness.core.text.hashing import digest
from harness.core.text.reasons import Reason
from harness.lm_eval.task import LmEvalTask
from harness.tasks.options import LM_EVAL

__all__ = ["LmEvalGroup"]

_NOT_AVAILABLE = "N/A"


@dataclass(frozen=True, slots=True)
class _Sum:
    """One number of a group: the metric and filter that it sums up, its name, and whether tasks weigh by their size."""

    metric: str
    pipeline: str
    name: str
    by_size: bool


class LmEvalGroup:
    """A group of lm-evaluation-harness, whose aggregates are its own (`Aggregate` in core).

    Value and standard error are what lm-eval makes of the scores of all tasks below the group, in groups of its own
    too: weighted by their samples or alike, once for each filter. The interval is that of a mean of independent tasks,
    made of theirs (Zou and Donner, 2008). Tasks without the metric don't count, as in lm-eval, and the signature says
    which do; where the metric of one that has it is absent, so is the group's.
    """

    suite = LM_EVAL

    def __init__(self, group: Group, tasks: Mapping[str, LmEvalTask]) -> None:
        self.group = group
        self.name = f"{LM_EVAL}:{group.name}"
        self.tasks = [tasks[task.task_name] for task in group.get_all_tasks()]
        self._listed = group.aggregate_metric_list or []
        listed = [[one.metric, one.filter_list, one.weight_by_size] for one in self._listed]
        self.definition_sha256 = digest([group.version, listed, [dict(task.definition) for task in self.tasks]])

    def estimates(self, planned: Sequence[Task], estimates: Sequence[Estimate], signature: str) -> list[Estimate]:
        """One estimate for each metric and filter that the group sums up."""
        run = {task.name: task for task in planned if isinstance(task, LmEvalTask)}
        tasks = [run.get(task.name, task) for task in self.tasks]
        others = [one.name for one, task in zip(tasks, self.tasks, strict=True) if one.definition != task.definition]
        known = {(one.task, one.metric): one for one in estimates if one.suite == LM_EVAL and one.group is None}
        rows = {task.task.task_name: _row(task, known) for task in tasks}
        summed = self.group.aggregate(rows)
        found = []
        for one in self._sums(tasks):
            names = [(task.name, task.reported_as(one.metric, one.pipeline)) for task in tasks]
            parts = [known[task, name] for task, name in names if name is not None]
            sizes = [float(rows[part.task.removeprefix(f"{LM_EVAL}:")]["sample_len"]) for part in parts]
            blank = self._blank(one, parts, sizes if one.by_size else None, signature)
            reason = _why_absent(one, parts, others)
            found.append(replace(blank, reason=reason) if reason else _filled(blank, one, parts, sizes, summed))
        return found

    def _sums(self, tasks: Sequence[LmEvalTask]) -> list[_Sum]:
        found: dict[str, _Sum] = {}
        for one in self._listed:
            having = sorted({pipeline for task in tasks for pipeline in task.pipelines(one.metric)})
            pipelines = having if one.filter_list is None else one.filter_list
            for pipeline in pipelines or [_NOT_AVAILABLE]:
                name = one.metric if len(pipelines) < 2 else f"{one.metric}:{pipeline}"
                # Of a metric that is listed twice, lm-eval reports the last.
                found[name] = _Sum(one.metric, pipeline, name, one.weight_by_size)
        return list(found.values())

    def _blank(self, one: _Sum, parts: Sequence[Estimate], sizes: Sequence[float] | None, signature: str) -> Estimate:
        first = parts[0] if parts else None
        return Estimate(
            suite=LM_EVAL,
            task=self.name,
            metric=one.name,
            value=None,
            n=sum(part.n for part in parts),
            invalid_count=sum(part.invalid_count for part in parts),
            tie_count=sum(part.tie_count for part in parts),
            unit=first.unit if first else f"as lm-eval's {one.metric}",
            direction=first.direction if first else "higher",
            signature=mean_signature(parts, signature, sizes),
            reason="",
            applies=not parts or any(part.applies for part in parts),
            parts=tuple(
                TaskPart(part.task, part.metric, size)
                for part, size in zip(parts, sizes or [1.0] * len(parts), strict=True)
            ),
        )


def _row(task: LmEvalTask, known: Mapping[tuple[str, str], Estimate]) -> dict[str, Any]:
    """A task's results in the shape of lm-eval's."""
    row: dict[str, Any] = {"sample_len": 0}
    for name, (metric, pipeline) in task.reported.items():
        one = known[task.name, name]
        row["sample_len"] = max(row["sample_len"], one.n)
        if one.value is not None:
            row[f"{metric},{pipeline}"] = one.value
            row[f"{metric}_stderr,{pipeline}"] = _NOT_AVAILABLE if one.stderr is None else one.stderr
    return row


def _why_absent(one: _Sum, parts: Sequence[Estimate], others: Sequence[str]) -> str | None:
    if others:
        return Reason("{task} was run with settings other than the group's", task=others[0])
    if not parts:
        return Reason("none of its tasks has the metric {metric}", metric=one.name)
    if len({(part.unit, part.direction) for part in parts}) > 1:
        return Reason("its tasks disagree on the unit or the better direction of {metric}", metric=one.metric)
    return next((without_part(part) for part in parts if part.value is None), None)


def _filled(
    blank: Estimate, one: _Sum, parts: Sequence[Estimate], sizes: Sequence[float], summed: Mapping[str, Any]
) -> Estimate:
    error = summed[f"{one.metric}_stderr,{one.pipeline}"]
    intervals = [part.as_interval for part in parts]
    found = mean_of_parts(intervals, sizes if one.by_size else None)
    return replace(
        blank,
        value=float(summed[f"{one.metric},{one.pipeline}"]),
        stderr=None if error == _NOT_AVAILABLE else float(error),
        low=found.low,
        high=found.high,
        interval=None if found.low is None else found.method,
        reason=None,
    )
