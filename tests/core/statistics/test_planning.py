import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harness.core import statistics


@pytest.mark.parametrize(("margin", "n"), [(0.05, 248), (0.02, 1546), (0.01, 6183)])
def test_samples_for_a_margin_are_six_discordances_over_its_square(margin, n):
    assert statistics.samples_for_margin(0.1, margin) == n
    assert n == pytest.approx(6.1826 * 0.1 / margin**2, abs=1)


def test_so_many_samples_have_the_power_that_was_asked_for():
    n, generator = statistics.samples_for_margin(0.1, 0.05), np.random.default_rng(4)
    gained, lost, _ = generator.multinomial(n, [0.05, 0.05, 0.9], size=2000).T
    cleared = [
        statistics.standing(*statistics.tango(int(up), int(down), n, 0.9), floor=-0.05) == "clears"
        for up, down in zip(gained, lost, strict=True)
    ]
    assert np.mean(cleared) == pytest.approx(0.8, abs=0.04)


@given(st.integers(1, 10_000), st.sampled_from([0.9, 0.95, 0.99]))
def test_the_rule_of_three_is_the_bound_of_clopper_and_pearson(n, confidence):
    bound = stats.binomtest(0, n, alternative="less").proportion_ci(confidence, method="exact").high
    assert statistics.rule_of_three(n, confidence) == pytest.approx(bound, rel=1e-6)


def test_clusters_take_as_many_times_more_as_their_design_effect():
    assert statistics.design_effect(10, 0.25) == 1 + 9 * 0.25
    assert statistics.samples_for_margin(0.1, 0.02, effect=2) == pytest.approx(2 * 1546, abs=1)


def test_more_samples_bring_the_bound_as_near_as_is_needed():
    n = statistics.more_samples(100, stderr=0.05, distance=0.04)
    assert n == math.ceil(100 * ((stats.norm.ppf(0.95) + stats.norm.ppf(0.8)) * 0.05 / 0.04) ** 2)
    assert statistics.more_samples(100, stderr=0.05, distance=0.0) is None
    assert statistics.told_distance(100, stderr=0.05, samples=n) == pytest.approx(0.04, rel=1e-2)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        *(({name: value}, "shares") for name, value in (("discordance", 0), ("discordance", 2), ("margin", 0))),
        *(({name: value}, "shares") for name, value in (("margin", math.inf), ("margin", math.nan), ("power", 1))),
        ({"effect": 0}, "shares"),
        ({"effect": math.inf}, "no data has"),
        ({"margin": 1e-200}, "no data has"),
    ],
)
def test_a_plan_of_impossible_numbers_is_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        statistics.samples_for_margin(**{"discordance": 0.1, "margin": 0.02, **wrong})


@pytest.mark.parametrize(
    ("low", "high", "floor", "ceiling", "standing"),
    [
        (0.5, 0.6, 0.5, None, "clears"),
        (0.4, 0.6, 0.5, None, "undecided"),
        (0.3, 0.4, 0.5, None, "beyond"),
        (0.5, 0.6, None, 0.6, "clears"),
        (0.61, 0.7, None, 0.6, "beyond"),
        (0.46, 0.54, 0.45, 0.55, "clears"),
        (0.4, 0.54, 0.45, 0.55, "undecided"),
        (0.56, 0.6, 0.45, 0.55, "beyond"),
        (0.3, 0.7, 0.45, 0.55, "undecided"),
    ],
)
def test_where_an_interval_stands(low, high, floor, ceiling, standing):
    assert statistics.standing(low, high, floor=floor, ceiling=ceiling) == standing
