"""The rates of groups in two runs side by side, and by how much their extremes differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import permutations

from harness.core import statistics
from harness.core.metrics import Undefined
from harness.core.statistics import Difference, Interval
from suites.fairness.groups.rates import Cell, RateByGroup

__all__ = ["PairedCells"]

_Arm = Mapping[int, int]
"""A sum of rates, each with 1 or -1 by the position of its cell."""


@dataclass(frozen=True, kw_only=True)
class PairedCells:
    """The cells of each rate of the first run and, of the same samples, of the second."""

    first: Sequence[Sequence[Cell]]
    second: Sequence[Sequence[Cell]]

    @classmethod
    def of(cls, first: Sequence[RateByGroup], second: Sequence[RateByGroup]) -> "PairedCells":
        """Raises `Undefined` where the two runs don't compare the same groups of the same samples."""
        for one, other in zip(first, second, strict=True):
            if [cell.rows.tolist() for cell in one.cells.values()] != [
                cell.rows.tolist() for cell in other.cells.values()
            ]:
                raise Undefined("the two runs don't compare the same groups")
        return cls(
            first=[list(one.cells.values()) for one in first], second=[list(one.cells.values()) for one in second]
        )

    def change_of_largest_gap(self, confidence: float) -> Difference:
        """Of the largest difference between two groups, over all rates."""
        arms, start = [], 0
        for cells in self.first:
            places = range(start, start + len(cells))
            arms += [{one: 1, other: -1} for one, other in permutations(places, 2)]
            start += len(cells)
        return self._change(arms, confidence, largest=True)

    def change_of_smallest(self, confidence: float) -> Difference:
        """Of the smallest rate."""
        return self._change([{place: 1} for place in range(len(self._cells))], confidence, largest=False)

    @cached_property
    def _cells(self) -> list[tuple[Cell, Cell]]:
        return [
            both for one, other in zip(self.first, self.second, strict=True) for both in zip(one, other, strict=True)
        ]

    def _change(self, arms: Sequence[_Arm], confidence: float, *, largest: bool) -> Difference:
        moved = _Moved(cells=self._cells, confidence=confidence)
        first, second = ([_value(arm, [cells[side] for cells in self._cells]) for arm in arms] for side in (0, 1))
        change = statistics.change_of_largest if largest else statistics.change_of_smallest
        n = sum(len(cell.values) for cell, _ in self._cells)
        return change(first, second, lambda one, other: moved.ends(arms[one], arms[other]), n, confidence)


def _value(arm: _Arm, cells: Sequence[Cell]) -> float:
    return sum(sign * float(cells[place].values.mean()) for place, sign in arm.items())


@dataclass(frozen=True, kw_only=True)
class _Moved:
    """Intervals of sums of rates of the second run less sums of rates of the first, cell by cell."""

    cells: Sequence[tuple[Cell, Cell]]
    confidence: float

    def ends(self, second: _Arm, first: _Arm) -> tuple[float, float]:
        """Of one sum of the second run less another of the first."""
        found = [self._part(place, second.get(place, 0), first.get(place, 0)) for place in {**second, **first}]
        if any(part.low is None for part, _ in found):
            raise Undefined("a group whose samples all share one cluster has no error")
        return statistics.weighted_sum([part for part, _ in found], [weight for _, weight in found])

    def _part(self, place: int, second: int, first: int) -> tuple[Interval | Difference, float]:
        """A cell's part in the sum, and its factor: what it gains, what it is, or twice its mean over both runs."""
        if second == first:
            return self._gains[place], second
        if not first:
            return self._rates[1][place], second
        if not second:
            return self._rates[0][place], -first
        return self._middles[place], 2 * second

    @cached_property
    def _gains(self) -> list[Difference]:
        return [
            statistics.paired_difference(
                one.values.tolist(), other.values.tolist(), one.clusters, self.confidence, lowest=0.0, highest=1.0
            )
            for one, other in self.cells
        ]

    @cached_property
    def _rates(self) -> list[list[Interval]]:
        return [[both[side].interval(self.confidence) for both in self.cells] for side in (0, 1)]

    @cached_property
    def _middles(self) -> list[Interval]:
        return [
            replace(one, values=(one.values + other.values) / 2).interval(self.confidence) for one, other in self.cells
        ]
