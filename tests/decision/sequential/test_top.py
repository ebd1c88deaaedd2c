"""Who is among the best by statements about two at a time, against everything that could be stated."""

from itertools import chain, combinations

import numpy as np
import pytest
from scipy.optimize import linprog

from harness.core.statistics.anytime.top import TopSearch


def subsets(claims):
    return map(set, chain.from_iterable(combinations(claims, size) for size in range(len(claims) + 1)))


@pytest.mark.parametrize(("count", "top"), [(2, 1), (3, 1), (3, 2), (4, 1), (4, 2), (4, 3)])
def test_no_claims_err_more_often_than_they_may_however_they_depend_on_each_other(count, top):
    """The most probable that an error can be, by a linear programme over every set of false claims at once."""
    true = list(combinations(range(count), 2))
    false = [(worse, better) for better, worse in true]

    def misleads(claims):
        stated = (TopSearch(count=count, top=top, claims=claims | right).standings for right in subsets(true))
        best = ["in"] * top + ["out"] * (count - top)
        return any(one not in ("open", truth) for found in stated for one, truth in zip(found, best, strict=True))

    errors = [claims for claims in subsets(false) if misleads(claims)]
    made = np.array([[claim in claims for claims in errors] for claim in false], dtype=float)
    worst = -linprog(-np.ones(len(errors)), A_ub=made, b_ub=np.ones(len(false))).fun
    allowed = 0.05 / (1 - TopSearch(count=count, top=top).confidence_of_each(0.95))
    assert worst <= allowed + 1e-9
    if top in (1, count - 1):
        assert worst == pytest.approx(allowed)  # nor less than they may


def test_who_is_left_over_is_the_best_though_it_beat_only_one():
    search = TopSearch(count=3, top=1, claims={(0, 1)})
    assert search.standings == ["open", "out", "open"]
    search.claims.add((1, 2))
    assert search.standings == ["in", "out", "out"]
    assert [search.better_than(one) for one in range(3)] == [1, 1, 0]
    assert [search.worse_than(one) for one in range(3)] == [0, 1, 1]


def test_who_is_left_over_is_out_once_enough_are_in():
    search = TopSearch(count=4, top=2, claims={(0, 2), (0, 3), (1, 2), (1, 0)})
    assert search.standings == ["in", "in", "out", "out"]


@pytest.mark.parametrize("top", [0, 3])
def test_all_or_none_of_them_is_no_search(top):
    with pytest.raises(ValueError, match="need no search"):
        TopSearch(count=3, top=top)
