"""Which differences of a comparison are told first, and which where there is little room."""

from collections.abc import Collection, Sequence

from harness.core.headlines import main_rows
from harness.decision.comparison import Change, Comparison, Level, MetricDifference

__all__ = ["FEW", "in_order", "shortlist"]

FEW = 40
"""So many differences are told whole."""
_MOST_TASKS = 20

_LEVELS: Sequence[Level] = ("suite", "metric", "group")
_CHANGES: Sequence[Change] = ("worse", "better", "changed", "no difference shown", "not tested")


def in_order(rows: Sequence[MetricDifference]) -> list[MetricDifference]:
    """Suites before tasks, these before groups; of each what is worse first, then what else differs significantly."""
    return sorted(rows, key=lambda one: (_LEVELS.index(one.level), _CHANGES.index(one.change)))


def shortlist(comparison: Comparison, entering: Collection[tuple[str, str, str]]) -> list[MetricDifference]:
    """All dimensions, and the tasks that differ significantly, the surest of them; all where there are few.

    `entering` is as `made_of` gives it: of a task's metrics that differ, the one in its suite's score stands for it.
    """
    whole = in_order(comparison.differences)
    if len(whole) <= FEW:
        return whole
    differing = main_rows((one for one in comparison.at("metric") if one.is_significant), entering)
    surest = sorted(differing, key=lambda one: (1.0 if one.p_holm is None else one.p_holm, one.n == 0))
    return in_order([*comparison.at("suite"), *surest[:_MOST_TASKS]])
