"""What can be known of a rule before anything is asked: whether it is about something, and can ever be decided."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from harness.core.errors import InputError, UnknownName
from harness.core.metrics import Mean, Metric
from harness.core.process.isolation import StepFailed, attempt
from harness.core.requests import Response
from harness.core.scores import OVERALL, SampleGroup
from harness.core.tasks import Sample
from harness.core.text.display import number
from harness.core.text.reasons import told_together
from harness.decision.comparable import questions_of, task_faults
from harness.decision.judging import require_direction
from harness.decision.policy import Policy, Rule
from harness.decision.sequential.bounds import limits_of_equal
from harness.decision.sequential.shared import requests_by_sample
from harness.decision.sequential.units import Place
from harness.record import RunRecord
from harness.run.planning import Plan
from harness.run.sequential.needs import Need
from harness.run.sequential.parts import part_of
from harness.run.work import TaskWork

__all__ = ["followers_in", "foresee", "require_pinned", "require_same_questions", "require_sense"]

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


def followers_in(rule: Rule, whole: Plan, followers: Collection[Place]) -> list[str]:
    """The tasks that a rule is on which ask on in the light of the answers, and that a decision leaves out."""
    named = next((one.headline for one in whole.selection.suites if one.name == rule.suite), ())
    wanted = {name for name, _ in named} if rule.task == OVERALL else {rule.task}
    return sorted(task for suite, task in followers if suite == rule.suite and task in wanted)


def foresee(rule: Rule, policy: Policy, whole: Plan, need: Need) -> tuple[str, str]:
    """Why a rule can't be decided, however many samples are asked; and of one that can fail, why it can't pass with the
    samples that there are, at best or by an equal model. Each is empty where there is nothing to say."""
    asked = _asked_in_all(whole, need)
    units = list(map(_unit_count, asked))
    least = rule.smallest_n or policy.smallest_n
    if sum(units) < least:
        return f"there are {sum(units)} independent samples for it, and it takes {least}", ""
    found = _extremes(rule, policy, whole, need) if units == list(map(len, asked)) else None
    if found is None:
        return "", ""
    if not (found.may_pass or found.may_fail):
        return f"whatever the {need.longest} samples for it say, its bound stays too wide", ""
    if not found.may_pass:
        return "", f"with {need.longest} samples it can fail, and no answers would pass it"
    if found.equal is not None and rule.margin is not None and found.equal > rule.margin:
        return "", (
            f"with {need.longest} samples a model whose answers are all the same can't pass its margin "
            f"{number(rule.margin)}; it would pass {number(found.equal)}"
        )
    return "", ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Extremes:
    """What the best and the worst answers that there can be would make of a rule, and the margin that a run of the same
    answers as the baseline's would pass."""

    may_pass: bool
    may_fail: bool
    equal: float | None = None


def _extremes(rule: Rule, policy: Policy, whole: Plan, need: Need) -> _Extremes | None:
    """None of what hangs on more than values between known ends, and of data that can be asked to their end.

    The samples are independent ones.
    """
    work = [one for one in whole.work if one.place in need.places]
    metric = _headline_metric(rule, whole, work) if rule.task == OVERALL else _metric(rule, whole, work[0], policy.path)
    if not isinstance(metric, Mean) or rule.group or rule.kind == "no_worse_group":
        return None
    lowest, highest = metric.score_range
    if lowest is None or highest is None:
        return None
    ends, n, span = (lowest, highest), need.longest, highest - lowest
    # As `AnytimeBounds` has it: of a single task, all of whose data may be asked.
    population = len(work[0].samples) if len(work) == 1 and work[0].planned.settings.limit is None else None
    if n == population:
        return None

    def limits(value: float, *, change: bool = False) -> tuple[float, float]:
        return limits_of_equal(value, n, ends, policy.confidence, rule.margin, change=change, population=population)

    if rule.kind == "non_inferior":
        if rule.margin is None:
            return None
        # The sign of a gain is of no account: the bounds of a change are the same either way.
        return _Extremes(
            may_pass=limits(span, change=True)[0] >= -rule.margin,
            may_fail=limits(-span, change=True)[1] < -rule.margin,
            equal=-limits(0.0, change=True)[0],
        )
    if rule.kind == "target" or rule.bound is None:
        return None
    if rule.kind == "floor":
        return _Extremes(may_pass=limits(highest)[0] >= rule.bound, may_fail=limits(lowest)[1] < rule.bound)
    return _Extremes(may_pass=limits(lowest)[1] <= rule.bound, may_fail=limits(highest)[0] > rule.bound)


def _unit_count(asked: Sequence[Sample]) -> int:
    """How many of the samples are independent."""
    return len({("c", sample.cluster) if sample.cluster else ("s", sample.id) for sample in asked})


def _asked_in_all(whole: Plan, need: Need) -> list[Sequence[Sample]]:
    samples = need.samples(need.longest)
    work = (one for one in whole.work if one.place in samples)
    return [part_of(one, samples[one.place], whole.spec.seed).samples for one in work]


def require_pinned(policy: Policy, whole: Plan, held: Sequence[tuple[Rule, Sequence[Place]]]) -> None:
    """Raises `InputError` where a task of a rule would be asked other prompts than the policy pins.

    A gate would find the rule in error.
    """
    prompts = {f"{task.suite}/{task.task}": task.requests_sha256 for task in whole.spec.tasks}
    for rule, places in held:
        if name := policy.repinned(rule, list(map("/".join, places)), prompts):
            raise InputError(
                f"{name} is not what the policy was written for: its prompts, data or their number changed",
                place=f"{policy.path}: {rule.title}",
                fix="Give --limit and the options of the run that it was written from, or take the task out of `tasks`",
            )


def require_same_questions(
    baseline: RunRecord, whole: Plan, most: Mapping[Place, int], held: Sequence[tuple[Rule, Sequence[Place]]]
) -> None:
    """Raises `InputError` where the record of a baseline can't be compared in the tasks of rules that are `held`
    against it: it was sealed by other code, data, prompts or settings of a task.

    It is held to the first samples of each task, as many as can be asked: see `task_faults`. A gate would find each of
    these rules in error, whether or not it is required.
    """
    before, shared = requests_by_sample(baseline), set()
    places = {place for _, of_rule in held for place in of_rule}
    for one in (one for one in whole.work if one.place in places and one.place in before):
        part = part_of(one, most[one.place], whole.spec.seed)
        ids = [tuple(request.id for request in requests) for requests in part.requests]
        if [before[one.place].get(sample.id) for sample in part.samples] == ids:
            shared.add("/".join(one.place))
    now = questions_of(whole.spec)
    found = task_faults(questions_of(baseline.spec).narrowed_to(now, shared), now)
    differing = {rule.title: told_together(found.get("/".join(place)) for place in places) for rule, places in held}
    if told := "; ".join(f"{why} (the rule {title!r})" for title, why in differing.items() if why):
        raise InputError(
            f"can't be compared; what differs is {told}",
            place=baseline.folder,
            fix="Give the suites and options that it was run with; if code or data changed since, name its checkpoint "
            f"({baseline.spec.model}) with --baseline-model: only what the record has no answers to is asked again",
        )
