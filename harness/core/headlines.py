"""One score a suite: what stands for a dimension of judgement where there is room for a single number."""

from collections.abc import Collection, Iterable, Sequence
from typing import Protocol, TypeVar

from harness.core.scores import OVERALL, Estimate, TaskPart
from harness.core.statistics import mean_of_parts
from harness.core.tasks import Suite
from harness.core.text.reasons import Reason

__all__ = [
    "headline_estimates",
    "made_of",
    "main_estimates",
    "main_rows",
    "mean_signature",
    "without_part",
]


class _OfMetric(Protocol):
    """What is said of one metric of one task."""

    @property
    def suite(self) -> str: ...
    @property
    def task(self) -> str: ...
    @property
    def metric(self) -> str: ...


Row = TypeVar("Row", bound=_OfMetric)


def headline_estimates(suites: Sequence[Suite], estimates: Sequence[Estimate], signature: str) -> list[Estimate]:
    """The headline of each suite that has one and whose parts are among `estimates`.

    It is the plain mean of the estimates that `Suite.headline` names, so that each task counts alike, however many
    samples it has. Its error and interval are put together from those of the parts, as independent ones (see
    `statistics.mean_of_parts`, by which a gate has them too); that of a single part is the part's own. Parts that have
    no meaning for the kind of checkpoint are left out, and the signature says which are in. Where any other part is
    absent, so is the headline.
    """
    return [
        _headline(suite, parts, signature)
        for suite in suites
        if (parts := [one for one in estimates if one.suite == suite.name and _is_part(suite, one)])
    ]


def made_of(headlines: Iterable[Estimate]) -> set[tuple[str, str, str]]:
    """Suite, task and metric of each estimate that one of the headlines is the mean of."""
    return {(one.suite, part.task, part.metric) for one in headlines for part in one.parts}


def main_estimates(estimates: Collection[Estimate]) -> list[Estimate]:
    """One estimate a task, for wherever there is room for no more, so that what is shown adds up to the headline.

    It is the one that enters its suite's headline, else the task's first. Groups, headlines and what has no meaning for
    the kind of checkpoint are left out.
    """
    headlines = [one for one in estimates if one.is_headline]
    single = [one for one in estimates if not one.is_headline and one.group is None and one.applies]
    return main_rows(single, made_of(headlines))


def main_rows(rows: Iterable[Row], entering: Collection[tuple[str, str, str]]) -> list[Row]:
    """As `main_estimates`, of rows that each belong to a metric of a task; `entering` is as `made_of` gives it."""
    found: dict[tuple[str, str], Row] = {}
    for row in rows:
        known = found.setdefault((row.suite, row.task), row)
        if (row.suite, row.task, row.metric) in entering and known.metric != row.metric:
            found[row.suite, row.task] = row
    return list(found.values())


def mean_signature(parts: Sequence[Estimate], signature: str, weights: Sequence[float] | None = None) -> str:
    """The signature of a mean of estimates of one suite, each counting by its weight, alike where there are none."""
    named = "+".join(f"{one.task}/{one.metric}" for one in parts)
    weighed = "" if weights is None else f"|weights:{'+'.join(f'{weight:g}' for weight in weights)}"
    return f"mean-of:{named}{weighed}|{signature}"


def _is_part(suite: Suite, estimate: Estimate) -> bool:
    return estimate.group is None and (estimate.task, estimate.metric) in suite.headline


def without_part(part: Estimate) -> Reason:
    """Why there is no mean: a part of it has no value."""
    return Reason("no {metric} of {task}: {reason}", metric=part.metric, task=part.task, reason=part.reason or "")


def _headline(suite: Suite, parts: Sequence[Estimate], signature: str) -> Estimate:
    first, used = parts[0], [one for one in parts if one.applies]
    metrics = {one.metric for one in parts}
    if len({(one.unit, one.direction, one.target) for one in parts}) > 1:
        raise ValueError(f"{suite.name}: the parts of a headline must share unit and direction")
    missing = [one for one in used if one.value is None]
    reason: str | None = without_part(missing[0]) if missing else None
    if not used:
        reason = first.reason
    try:
        mean = None if reason else mean_of_parts([one.as_interval for one in used])
    except OverflowError:
        mean, reason = None, "the mean of its parts is too large for a number"
    return Estimate(
        suite=suite.name,
        task=OVERALL,
        metric=metrics.pop() if len(metrics) == 1 else "score",
        value=mean.value if mean else None,
        stderr=mean.stderr if mean else None,
        low=mean.low if mean else None,
        high=mean.high if mean else None,
        interval=mean.method if mean else None,
        left_out=mean.left_out if mean else (),
        p_value=mean.p_value if mean else None,
        n=sum(one.n for one in used),
        invalid_count=sum(one.invalid_count for one in used),
        tie_count=sum(one.tie_count for one in used),
        truncated_count=sum(one.truncated_count for one in used),
        unit=first.unit,
        direction=first.direction,
        target=first.target,
        basis="measured" if all(one.basis == "measured" for one in used) else "estimated",
        signature=mean_signature(used, signature),
        reason=reason,
        applies=bool(used),
        parts=tuple(TaskPart(one.task, one.metric) for one in used),
    )
