"""One score a dimension of a run, and where it is between the worst and the best that it can be. Pure."""

from collections.abc import Mapping, Sequence

import pandas as pd

from harness.core.reports.installed import suite_reports
from harness.core.scores import Estimate
from harness.decision.context import ScoreContext
from harness.decision.context.levels import UNIT_ENDS
from harness.decision.keys import Key, key_of
from harness.record.metrics import RecordedMetric
from leaderboard.data.scales import KNOWING_NOTHING

__all__ = ["scorecard_rows", "worst_of"]

Recorded = Mapping[tuple[str, str, str], RecordedMetric]
"""Those of a run, by suite, task and metric."""


_ENDS: Mapping[str, tuple[float, float]] = {
    **UNIT_ENDS,
    "score": (0.0, 1.0),
    "share of clean": (0.0, 1.0),  # nothing is lost, all is lost
    **{unit: (0.0, worst) for unit, worst in KNOWING_NOTHING.items()},
}
"""The ends of a unit between which a score is drawn where its metric says none; what lies beyond is at the end."""


def scorecard_rows(
    estimates: Sequence[Estimate], contexts: Mapping[Key, ScoreContext], recorded: Recorded
) -> pd.DataFrame:
    """One row a suite that has a score, in the order in which lists tell suites: the columns of
    `harness.charts.scorecard` but for the title, and suite."""
    order = {name: place for place, name in enumerate(suite_reports())}
    heads = [one for one in estimates if one.is_headline and one.applies and one.value is not None]
    rows = [
        _row(one, contexts.get(key_of(one), ScoreContext()), worst_of(one, recorded))
        for one in sorted(heads, key=lambda one: (order.get(one.suite, len(order)), one.suite))
    ]
    return pd.DataFrame(rows, columns=_COLUMNS)


_COLUMNS = [
    *("suite", "metric", "unit", "direction", "target", "value", "low", "high", "n", "chance", "optimum", "word"),
    *("place", "place_low", "place_high", "place_chance"),
]


def worst_of(one: Estimate, recorded: Recorded) -> float | None:
    """The worst value that a score can have, of a mean over tasks that of its parts; None where that is open."""
    keys = [(one.suite, part.task, part.metric) for part in one.parts] or [(one.suite, one.task, one.metric)]
    ends = [_end(recorded.get(key), one) for key in keys]
    known = [end for end in ends if end is not None]
    weights = [part.weight for part in one.parts] or [1.0]
    if len(known) < len(ends):
        return None
    return sum(weight * end for weight, end in zip(weights, known, strict=True)) / sum(weights)


def _end(metric: RecordedMetric | None, one: Estimate) -> float | None:
    parameters = (metric.parameters if metric else None) or {}
    usual = _ENDS.get(one.unit, (None, None))
    told = (parameters.get("lowest"), parameters.get("highest"))
    lowest, highest = (end if end is not None else other for end, other in zip(told, usual, strict=True))
    if one.target is not None:
        ends = [float(end) for end in (lowest, highest) if isinstance(end, int | float)]
        return max(ends, key=lambda end: abs(end - (one.target or 0.0))) if len(ends) == 2 else None
    end = lowest if one.direction == "higher" else highest
    return float(end) if isinstance(end, int | float) else None


def _row(one: Estimate, context: ScoreContext, worst: float | None) -> dict[str, object]:
    best, chance = context.optimum, context.chance
    if best is None and one.direction == "lower" and one.unit in _ENDS:
        best = _ENDS[one.unit][0]
    # One who guesses is the worst that can be told apart where there is no worst.
    begins = chance if worst is None else worst
    return {
        **{name: getattr(one, name) for name in ("suite", "metric", "unit", "direction", "target")},
        **{name: getattr(one, name) for name in ("value", "low", "high", "n")},
        "chance": chance,
        "optimum": best,
        "word": context.than_chance,
        **{
            f"place{suffix}": _place(value, begins, best, one.target is not None)
            for suffix, value in (("", one.value), ("_low", one.low), ("_high", one.high), ("_chance", chance))
        },
    }


def _place(value: float | None, worst: float | None, best: float | None, is_target: bool) -> float | None:
    """From 0 (the worst) to 1 (the best); what lies beyond an end is at that end."""
    if value is None or worst is None or best is None or worst == best:
        return None
    way = abs(value - best) / abs(worst - best) if is_target else (best - value) / (best - worst)
    return min(max(1 - way, 0.0), 1.0)
