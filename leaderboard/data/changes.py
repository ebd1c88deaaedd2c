"""What a comparison of two runs comes to, in a few lines. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.decision.comparison import Comparison
from harness.decision.costs import Cost
from harness.report.words import Words
from leaderboard.data.points import AXES, READ_FROM

__all__ = ["CostRow", "change_lines", "cost_rows"]

_WEIGHTIEST = ("worse", "better", "changed", "no difference shown", "not tested")
"""What can be said of a difference, in the order in which one wants to know."""


def change_lines(comparison: Comparison, words: Words) -> Sequence[tuple[str, str]]:
    """Which suites are worse, better, and not told apart: what is said of them, and their titles."""
    found: dict[str, list[str]] = {}
    for one in comparison.at("suite"):
        found.setdefault(one.change, []).append(words.title(one.suite))
    return [(change, words(", ").join(found[change])) for change in _WEIGHTIEST if change in found]


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRow:
    """A cost of two runs as people read it: name and unit in English, megabytes rather than bytes."""

    name: str
    unit: str
    first: float | None
    second: float | None
    ratio: float | None


def cost_rows(costs: Sequence[Cost]) -> list[CostRow]:
    """The costs of a comparison; one that nobody has a better word for keeps its own."""
    return [_row(one, _AXIS_OF.get(one.name, one.name)) for one in costs]


_AXIS_OF: Mapping[str, str] = {column: axis for axis, (column, _) in READ_FROM.items()}
"""By the name of a cost what the trade-offs call it."""


def _row(one: Cost, axis: str) -> CostRow:
    name, unit = AXES.get(axis, (one.name, one.unit))
    by = READ_FROM[axis][1] if axis in READ_FROM else 1.0
    first, second = (None if value is None else value / by for value in (one.first, one.second))
    return CostRow(name=name, unit=unit, first=first, second=second, ratio=one.ratio)
