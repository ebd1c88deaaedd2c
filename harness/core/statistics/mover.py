"""Differences, ratios and products of numbers, their intervals recovered from those of the numbers themselves.

MOVER, the method of variance estimates recovery: Newcombe (1998) for differences of shares, Zou and Donner (2008) in
general, Donner and Zou (2012) for ratios. The parts' intervals may be skewed, as those of shares near 0 are.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from harness.core.statistics.intervals import Difference, Interval

__all__ = ["pairwise_differences", "pairwise_ratios", "product_ends", "weighted_sum"]

_HALVINGS = 50

Matrix = NDArray[np.float64]


def pairwise_differences(parts: Sequence[Interval]) -> tuple[Matrix, Matrix]:
    """Lower and upper ends of each independent number less each other one; the entry [g, h] is of g less h.

    Raises `ValueError` for a part without ends.
    """
    value, below, above = _reaches(parts)
    gap = value[:, None] - value[None, :]
    return gap - np.hypot(below[:, None], above[None, :]), gap + np.hypot(above[:, None], below[None, :])


def pairwise_ratios(parts: Sequence[Interval]) -> tuple[Matrix, Matrix]:
    """Lower and upper ends of each independent number, from 0 up, over each other one, at most 1; [g, h] is g over h.

    A ratio is in the interval where the interval of `g - ratio * h` holds 0. Raises `ValueError` for a part without
    ends.
    """
    value, below, above = _reaches(parts)

    def least(ratio: Matrix) -> Matrix:
        return value[:, None] - ratio * value[None, :] - np.hypot(below[:, None], ratio * above[None, :])

    def most(ratio: Matrix) -> Matrix:
        return value[:, None] - ratio * value[None, :] + np.hypot(above[:, None], ratio * below[None, :])

    shape = (len(parts), len(parts))
    return _last_not_negative(least, shape), _last_not_negative(most, shape)


def weighted_sum(
    parts: Sequence[Interval | Difference], weights: Sequence[float], correlation: float = 0.0
) -> tuple[float, float]:
    """Lower and upper end of a sum of numbers times `weights`; of two, they may have a `correlation`.

    Raises `ValueError` for a part without ends.
    """
    value, below, above = _reaches(parts)
    factors = np.array(weights, dtype=float)
    falls = np.where(factors > 0, below, above) * np.abs(factors)
    rises = np.where(factors > 0, above, below) * np.abs(factors)
    shared = correlation * math.copysign(1.0, math.prod(weights)) if correlation else 0.0
    total = float((factors * value).sum())
    return total - _together(falls, shared), total + _together(rises, shared)


def product_ends(first: Interval, second: Interval, correlation: float) -> tuple[float, float]:
    """Lower and upper end of the product of two numbers from 0 up, whose estimates have that correlation.

    It is the interval of the sum of their logarithms. Raises `ValueError` for a part without ends.
    """
    value, below, above = _reaches([first, second])
    low, high, product = value - below, value + above, float(value.prod())
    if not product:
        return 0.0, float(max(high[0] * value[1], high[1] * value[0], 0.0)) or float(high.prod())
    down = math.exp(-_together(np.log(value / low), correlation)) if low.all() else 0.0
    return product * down, product * math.exp(_together(np.log(high / value), correlation))


def _together(reaches: Matrix, correlation: float) -> float:
    """How far the sum of two numbers reaches."""
    return math.sqrt(max(0.0, float((reaches**2).sum() + 2 * correlation * reaches.prod())))


def _reaches(parts: Sequence[Interval | Difference]) -> tuple[Matrix, Matrix, Matrix]:
    """The values, and how far their intervals reach below and above them."""
    if any(one.low is None or one.high is None for one in parts):
        raise ValueError("a part has no interval")
    value, low, high = np.array([(one.value, one.low, one.high) for one in parts], dtype=float).T
    return value, value - low, high - value


def _last_not_negative(falling: Callable[[Matrix], Matrix], shape: tuple[int, ...]) -> Matrix:
    """The largest numbers in [0, 1] at which functions that only fall are not below 0."""
    left, right = np.zeros(shape), np.ones(shape)
    for _ in range(_HALVINGS):
        middle = (left + right) / 2
        holds = falling(middle) >= 0
        left, right = np.where(holds, middle, left), np.where(holds, right, middle)
    return np.where(falling(np.ones(shape)) >= 0, 1.0, left)
