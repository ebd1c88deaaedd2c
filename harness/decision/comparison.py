"""Two runs held against each other: by suite, by metric of each task, by group."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from html import escape
from typing import Literal

import pandas as pd

from harness.core.headlines import made_of, main_rows
from harness.core.scores import Direction, Estimate
from harness.core.statistics import CONFIDENCE, holm
from harness.core.text.display import elided, interval, number
from harness.decision.comparable import comparable, differing_conditions, require_comparable
from harness.decision.contrasts import Contrast, Contrasts
from harness.decision.costs import Cost, costs, relation
from harness.decision.flips import Flip, flips
from harness.decision.keys import Key
from harness.decision.scored import Scored
from harness.decision.sequential.shared import SharedSamples
from harness.record import RunRecord
from harness.record.notebook.card import frame_card

__all__ = ["LEVEL", "Change", "Comparison", "MetricDifference", "comparable", "compare", "compare_all"]

Level = Literal["suite", "metric", "group"]
Change = Literal["better", "worse", "changed", "no difference shown", "not tested"]

DRAWN = 2000
"""Resamples of a comparison that nothing hangs on; a gate draws more."""

LEVEL = 0.05
"""Chance of any false alarm in a family of tests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricDifference:
    """One number of two runs: `difference` is the second less the first, in `unit`, with its 95 % interval.

    `level` says what it is of: a whole suite (its headline), a task's metric, or one group of it. `p_value` is that
    of no difference, `p_holm` the same for the family of its level and suite (all headlines are one family), over every
    run that is compared at once. `change` follows from `p_holm` at 5 %: "changed" where only a target says what is
    best and the two lie on either side of it. `gained` and `lost` count samples of zeros and ones. Where there
    is no test, `reason` says why; a `difference` may still be known.
    """

    level: Level
    suite: str
    task: str
    metric: str
    group: str | None
    unit: str
    direction: Direction | None
    target: float | None
    first: float | None
    second: float | None
    difference: float | None
    stderr: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    p_holm: float | None = None
    method: str | None = None
    n: int = 0
    cluster_count: int = 0
    gained: int | None = None
    lost: int | None = None
    invalid_share: float = 0.0
    change: Change = "not tested"
    reason: str | None = None

    @property
    def is_significant(self) -> bool:
        """Whether the two runs differ in it beyond doubt."""
        return self.change in ("better", "worse", "changed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What differs between two runs; `conditions` lists what else than the checkpoint does."""

    first_run_id: str
    second_run_id: str
    first_model: str
    second_model: str
    relation: str | None
    conditions: tuple[str, ...]
    differences: tuple[MetricDifference, ...]
    costs: tuple[Cost, ...]
    flips: tuple[Flip, ...]

    def at(self, level: Level) -> list[MetricDifference]:
        """The differences of one level."""
        return [one for one in self.differences if one.level == level]

    @property
    def frame(self) -> pd.DataFrame:
        """One row a difference, with the fields of `MetricDifference` as columns: headlines, then metrics and groups.

        `level` tells them apart: "suite", "metric", "group".
        """
        levels: Sequence[Level] = ("suite", "metric", "group")
        ordered = [asdict(one) for level in levels for one in self.at(level)]
        return pd.DataFrame(ordered, columns=[one.name for one in fields(MetricDifference)])

    def _repr_html_(self) -> str:
        rows = [_card_row(one) for one in self.at("suite") or self.differences]
        names = " → ".join(elided(name) for name in (self.first_model, self.second_model))
        return f"<p><b>{escape(names)}</b></p>{frame_card(pd.DataFrame(rows))}"


def _card_row(one: MetricDifference) -> dict[str, str]:
    return {
        "score": elided(one.suite if one.level == "suite" else f"{one.suite}/{one.task}/{one.metric}"),
        "first": number(one.first),
        "second": number(one.second),
        "difference": number(one.difference),
        "95 %": interval(one.low, one.high),
        "": one.change,
    }


def compare(first: RunRecord, second: RunRecord, *, groups: bool = True, resamples: int = DRAWN) -> Comparison:
    """What differs between two sealed runs, second less first.

    Samples are paired. Without `groups`, single groups are left out, which is faster. Raises `RecordError` where the
    runs can't be compared, with the list of what differs.
    """
    return compare_all(first, [second], groups=groups, resamples=resamples)[0]


def compare_all(
    first: RunRecord, others: Sequence[RunRecord], *, groups: bool = True, resamples: int = DRAWN
) -> list[Comparison]:
    """As `compare`, of several runs with the same first; p values are corrected over all of them."""
    one, found = Scored(first), []
    for record in others:
        other = Scored(record)
        # Of a run that ended early, only what both were asked can be held against each other.
        shared = one if record.order is None else SharedSamples(first, other)
        require_comparable(first, record, shared.questions)
        found.append(_compare(shared, other, groups, resamples))
    corrected = iter(_corrected([each for comparison in found for each in comparison.differences]))
    return [
        replace(comparison, differences=tuple(next(corrected) for _ in comparison.differences)) for comparison in found
    ]


def _compare(first: Scored, second: Scored, groups: bool, resamples: int) -> Comparison:
    contrasts = Contrasts(first, second, confidence=CONFIDENCE, resamples=resamples)
    shared = [
        (key, one, second.estimates[key])
        for key, one in first.estimates.items()
        if key in second.estimates and one.applies and (groups or key.group is None)
    ]
    differences = tuple(_difference(one, other, contrasts.of(key)) for key, one, other in shared)
    return Comparison(
        first_run_id=first.record.run_id,
        second_run_id=second.record.run_id,
        first_model=first.record.spec.model,
        second_model=second.record.spec.model,
        relation=relation(first, second),
        conditions=tuple(differing_conditions(first.record, second.record)),
        differences=differences,
        costs=tuple(costs(first, second)),
        flips=tuple(flips(first, second, _telling(first, differences))),
    )


def _difference(one: Estimate, other: Estimate, contrast: Contrast) -> MetricDifference:
    found = contrast.difference
    level: Level = "suite" if one.is_headline else "metric" if one.group is None else "group"
    plain = other.value - one.value if one.value is not None and other.value is not None else None
    return MetricDifference(
        level=level,
        suite=one.suite,
        task=one.task,
        metric=one.metric,
        group=None if one.group is None else str(one.group),
        unit=one.unit,
        direction=one.direction,
        target=one.target,
        first=one.value,
        second=other.value,
        difference=found.value if found else plain,
        stderr=found.stderr if found else None,
        low=found.low if found else None,
        high=found.high if found else None,
        p_value=found.p_value if found else None,
        method=found.method if found else None,
        n=found.n if found else min(one.n, other.n),
        cluster_count=found.cluster_count if found else 0,
        gained=contrast.gained,
        lost=contrast.lost,
        invalid_share=contrast.invalid_share,
        reason=contrast.reason,
    )


def _corrected(differences: Sequence[MetricDifference]) -> list[MetricDifference]:
    families: dict[tuple[str, str], list[int]] = {}
    for index, one in enumerate(differences):
        if one.p_value is not None:
            families.setdefault((one.level, "" if one.level == "suite" else one.suite), []).append(index)
    found = list(differences)
    for members in families.values():
        p_values = [differences[index].p_value or 0.0 for index in members]
        for index, p_holm in zip(members, holm(p_values), strict=True):
            found[index] = replace(found[index], p_holm=p_holm, change=_change(found[index], p_holm))
    return found


def _change(one: MetricDifference, p_holm: float) -> Change:
    if p_holm > LEVEL or not one.difference:
        return "no difference shown"
    if one.target is None:
        return "better" if (one.difference > 0) == (one.direction == "higher") else "worse"
    if one.first is None or one.second is None or (one.first - one.target) * (one.second - one.target) < 0:
        return "changed"
    return "better" if abs(one.second - one.target) < abs(one.first - one.target) else "worse"


def _telling(first: Scored, differences: Sequence[MetricDifference]) -> list[Key]:
    """One metric of zeros and ones for each task: that of the suite's headline, else the task's first."""
    entering = made_of(one for key, one in first.estimates.items() if key.is_headline)
    told = main_rows((one for one in differences if one.gained is not None and one.group is None), entering)
    return [Key(one.suite, one.task, one.metric) for one in told]
