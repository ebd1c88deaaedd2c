"""How a largest or smallest of several numbers differs between two runs."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from harness.core.statistics.intervals import CONFIDENCE, Difference
from harness.core.statistics.paired.ends import within

__all__ = ["change_of_largest", "change_of_smallest"]

_FAR = 2.0
"""How many times the margin of their difference two numbers must lie apart, to be told apart beyond doubt."""

Ends = Callable[[int, int], tuple[float, float]]
"""The ends of the interval of one of the second run's numbers less one of the first's, by their positions."""


def change_of_largest(
    first: Sequence[float], second: Sequence[float], ends: Ends, n: int, confidence: float = CONFIDENCE
) -> Difference:
    """The largest of `second` less the largest of `first`, the same k >= 1 numbers in two runs of `n` samples.

    The largest rose by no more than `r` if each number rose by no more than that, or lies no more than that above one
    that the first run has (intersection and union of tests: Berger, 1982). Each is held against itself, or, where it
    lay so far below the first run's largest that it wasn't by chance, against that one: the smaller of both bounds
    would err up to twice as often where several numbers are alike. The p value is the level at which the interval would
    about reach 0.
    """
    top, other_top = int(np.argmax(first)), int(np.argmax(second))

    def above(one: int) -> float:
        apart, across = first[top] - first[one], ends(one, top)[1]
        return across if apart > _FAR * (across - (second[one] - first[top])) else ends(one, one)[1]

    def below(one: int) -> float:
        apart, across = second[other_top] - second[one], ends(other_top, one)[0]
        return across if apart > _FAR * (second[other_top] - first[one] - across) else ends(one, one)[0]

    high, low = max(map(above, range(len(second)))), min(map(below, range(len(first))))
    return _difference(max(second) - max(first), low, high, n, confidence)


def change_of_smallest(
    first: Sequence[float], second: Sequence[float], ends: Ends, n: int, confidence: float = CONFIDENCE
) -> Difference:
    """As `change_of_largest`, of the smallest."""

    def mirrored(one: int, other: int) -> tuple[float, float]:
        low, high = ends(one, other)
        return -high, -low

    found = change_of_largest([-value for value in first], [-value for value in second], mirrored, n, confidence)
    assert found.low is not None
    assert found.high is not None
    return replace(found, value=-found.value, low=-found.high, high=-found.low)


def _difference(value: float, low: float, high: float, n: int, confidence: float) -> Difference:
    return replace(within(value, low, high, n, confidence), method="paired extremes, MOVER")
