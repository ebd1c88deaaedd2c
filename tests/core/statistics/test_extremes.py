"""By how much the largest of several numbers changed, held against draws whose truth is known."""

import math
from random import Random
from statistics import NormalDist

import pytest

from harness.core import statistics

LEVEL = 0.90
"""Of an interval whose ends are each a bound of 95 %."""
DRAWS = 2000
MARGIN = NormalDist().inv_cdf(0.95)


def missed(before: tuple[float, ...], after: tuple[float, ...], alike: float) -> tuple[float, float]:
    """How often each end lies on the wrong side, of numbers with an error of 1 that is shared by `alike`."""
    rng, truth, below, above = Random(f"{before}{after}{alike}"), max(after) - max(before), 0, 0
    for _ in range(DRAWS):
        shared = [rng.gauss(0, math.sqrt(alike)) for _ in before]
        own = math.sqrt(1 - alike)
        first = [value + error + rng.gauss(0, own) for value, error in zip(before, shared, strict=True)]
        second = [value + error + rng.gauss(0, own) for value, error in zip(after, shared, strict=True)]

        def ends(one: int, other: int, first=first, second=second) -> tuple[float, float]:
            margin = MARGIN * math.sqrt(2 - (2 * alike if one == other else 0))
            return second[one] - first[other] - margin, second[one] - first[other] + margin

        found = statistics.change_of_largest(first, second, ends, n=100, confidence=LEVEL)
        below += found.high < truth
        above += found.low > truth
    return below / DRAWS, above / DRAWS


@pytest.mark.parametrize("alike", [0.0, 0.5, 0.9])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((0.0, 0.0), (0.0, 0.5)),
        ((0.0, 0.0), (0.0, 0.0)),
        ((0.0, 2.0), (1.0, 2.0)),
        ((0.0, 3.0), (3.0, 0.0)),
        ((0.0, 9.0), (9.0, 0.0)),
        ((0.0, 0.0, 0.0), (0.5, 0.0, 0.0)),
    ],
)
def test_each_end_errs_in_no_more_than_its_share(
    before: tuple[float, ...], after: tuple[float, ...], alike: float
) -> None:
    allowed = 0.05 + 2 * math.sqrt(0.05 * 0.95 / DRAWS)
    assert max(missed(before, after, alike)) <= allowed


def test_numbers_far_apart_are_held_against_the_largest() -> None:
    # The largest moves from one number to the other and stays as large: held against themselves both would be far off.
    def ends(one: int, other: int) -> tuple[float, float]:
        value = [9.0, 0.0][one] - [0.0, 9.0][other]
        return value - 1, value + 1

    found = statistics.change_of_largest([0.0, 9.0], [9.0, 0.0], ends, n=100)
    assert (found.value, found.low, found.high) == (0, -1, 1)
