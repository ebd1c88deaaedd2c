"""What can be known of a rule before anything is asked: whether it is about something, and can ever be decided."""

from collections.abc import Mapping, Sequence
from itertools import islice

from harness.core.errors import InputError, UnknownName
from harness.core.metrics import Metric
from harness.core.process.isolation import StepFailed, attempt
from harness.core.requests import Response
from harness.core.scores import OVERALL, SampleGroup
from harness.decision.judging import require_direction
from harness.decision.policy import Policy, Rule
from harness.decision.sequential.shared import requests_by_sample
from harness.decision.sequential.units import Place
from harness.record import RunRecord
from harness.run.planning import Plan
from harness.run.sequential.needs import Need
from harness.run.sequential.parts import part_of
from harness.run.work import TaskWork

__all__ = ["require_same_samples", "require_sense", "why_never"]

_UNASKED = "it was not asked"
_SHOWN = 2000
"""Samples that are looked at for the groups that there are."""


def require_sense(rule: Rule, policy: Policy, whole: Plan, need: Need) -> None:
    """Raises `InputError` for a metric, attribute or group that its task doesn't have, and for a rule that contradicts
    the metric's direction."""
    place = f"{policy.path}: {rule.title}"
    work = [one for one in whole.work if one.place in need.places]
    metric = _headline_metric(rule, whole, work) if rule.task == OVERALL else _metric(rule, whole, work[0], place)
    if metric is None:
        return
    require_direction(rule, metric.name, metric.direction, metric.target, place)
    attribute = rule.attribute or (rule.group and SampleGroup.parse(rule.group).attribute)
    if attribute is None or rule.task == OVERALL:
        return
    if attribute not in metric.by:
        raise InputError(UnknownName(f"attribute of {metric.name}", attribute, metric.by).problem, place=place)
    known = _groups(work[0], metric, attribute)
    if rule.group is not None and known and rule.group not in known:
        raise InputError(UnknownName(f"group of {metric.name}", rule.group, known).problem, place=place)


def _metric(rule: Rule, whole: Plan, work: TaskWork, place: str) -> Metric | None:
    """The task's metric; None for a number that its suite, or an aggregate, makes of several tasks."""
    found = {one.name: one for one in work.planned.task.metrics}
    derived = {
        name for one in whole.selection.suites if one.name == rule.suite for names in one.derived for name in names
    }
    if rule.metric in found:
        return found[rule.metric]
    if rule.metric in derived:
        return None
    raise InputError(UnknownName(f"metric of {rule.task}", str(rule.metric), [*found, *derived]).problem, place=place)


def _headline_metric(rule: Rule, whole: Plan, work: Sequence[TaskWork]) -> Metric | None:
    """One of those that the headline is the mean of: all have one direction."""
    named = next((dict(one.headline) for one in whole.selection.suites if one.name == rule.suite), {})
    metrics = ((one.planned.task.name, metric) for one in work for metric in one.planned.task.metrics)
    return next((metric for task, metric in metrics if named.get(task) == metric.name), None)


def _groups(work: TaskWork, metric: Metric, attribute: str) -> list[str]:
    """The groups that a task's samples belong to, by what it says of answers that can't be used; empty if unknown."""
    task = work.planned.task

    def read() -> set[str]:
        found = set()
        for sample, requests in islice(zip(work.samples, work.requests, strict=True), _SHOWN):
            unasked = [Response(request_id=request.id, invalid=_UNASKED) for request in requests]
            for score in task.score(sample, unasked):
                if score.metric == metric.name and attribute in score.groups:
                    found.add(str(SampleGroup(attribute, score.groups[attribute])))
        return found

    try:
        groups = attempt(read)
    except StepFailed:
        return []
    # Some belong to a group by what was answered; then nothing is known before.
    return sorted(groups) if len(work.samples) <= _SHOWN else []


def why_never(rule: Rule, policy: Policy, whole: Plan, need: Need) -> str:
    """Why a rule can't be decided, however many samples are asked; empty where it can."""
    least = rule.smallest_n or policy.smallest_n
    samples = need.samples(need.longest)
    units = 0
    for one in (one for one in whole.work if one.place in samples):
        asked = part_of(one, samples[one.place], whole.spec.seed).samples
        units += len({("c", sample.cluster) if sample.cluster else ("s", sample.id) for sample in asked})
    return f"there are {units} independent samples for it, and it takes {least}" if units < least else ""


def require_same_samples(baseline: RunRecord, whole: Plan, most: Mapping[Place, int], places: set[Place]) -> None:
    """Raises `InputError` where a baseline wasn't asked just what the first samples of these tasks ask."""
    before = requests_by_sample(baseline)
    for one in (one for one in whole.work if one.place in places):
        asked = before.get(one.place, {})
        part = part_of(one, most[one.place], whole.spec.seed) if asked else one
        for sample, requests in zip(part.samples, part.requests, strict=True):
            if asked and asked.get(sample.id) != tuple(request.id for request in requests):
                raise InputError(
                    f"was asked other samples of {'/'.join(one.place)}, in another order or with other prompts",
                    place=baseline.folder,
                    fix="Give the suites and options that the baseline was run with, or run it anew",
                )
