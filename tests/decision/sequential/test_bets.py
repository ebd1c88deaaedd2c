"""Wealth and bounds that may be looked at after every sample, against hand-computed cases and simulation."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.statistics.anytime.asymptotic import asymptotic_radius
from harness.core.statistics.anytime.betting import Bets
from harness.core.statistics.anytime.several import e_holm

REFUTES = math.log(20)
ONE_SIDED = Bets(lowest=-1.0, highest=1.0, effect=0.05, spread=0.3)


def paired(rng: np.random.Generator, n: int, mean: float, discordance: float) -> np.ndarray:
    """Gains and losses of n questions."""
    chances = [(discordance - mean) / 2, 1 - discordance, (discordance + mean) / 2]
    return rng.choice([-1.0, 0.0, 1.0], size=n, p=chances)


def ever(bets: Bets, streams: list[np.ndarray], null: float) -> float:
    """The share of streams in which the hypothesis is refuted at any of their moments."""
    return float(np.mean([bets.log_wealth(stream, null).max() >= REFUTES for stream in streams]))


def test_the_first_bets_are_those_worked_out_by_hand():
    # The variance is taken for 0.3 squared, worth two values; the null mean is -0.1, the room 0.9.
    found = ONE_SIDED.log_wealth(np.array([1.0, -1.0]), -0.1)
    wealth = {}
    for times, share in ((0.7, 0.45), (1.4, 0.35), (2.8, 0.2)):
        effect = times * 0.05
        first = min(effect / (0.09 + effect**2), 0.95 / 0.9)
        # Before the second value, the first has added the square of its distance from itself: none.
        second = min(effect / (0.18 / 3 + effect**2), 0.95 / 0.9)
        wealth[share] = (1 + first * 1.1, (1 + first * 1.1) * (1 - second * 0.9))
    assert found == pytest.approx(
        [math.log(sum(share * grown[step] for share, grown in wealth.items())) for step in (0, 1)], abs=1e-12
    )


def test_without_replacement_a_hypothesis_that_no_value_could_save_is_refuted_for_certain():
    # Of four shares three are 1: their mean is at least .75, whatever the last one is.
    bets = Bets(lowest=0.0, highest=1.0, effect=0.1, population=4)
    assert np.isinf(bets.log_wealth(np.array([1.0, 1.0, 1.0]), 0.74)[-1])
    assert np.isfinite(bets.log_wealth(np.array([1.0, 1.0, 1.0]), 0.75)[-1])
    assert bets.lower_limit(np.array([1.0, 1.0, 1.0, 0.0]), 0.95) == pytest.approx(0.75, abs=1e-6)


@pytest.mark.parametrize("population", [None, 500])
@pytest.mark.parametrize("discordance", [0.1, 0.4])
def test_a_loss_of_just_the_margin_is_let_through_in_one_of_twenty_streams_at_most(population, discordance):
    rng = np.random.default_rng(7)
    null = -0.05
    if population is None:
        streams = [paired(rng, 500, -0.05, discordance) for _ in range(1000)]
    else:
        lost, gained = round(500 * (discordance + 0.05) / 2), round(500 * (discordance - 0.05) / 2)
        whole = np.repeat([-1.0, 1.0, 0.0], [lost, gained, 500 - lost - gained])
        streams, null = [rng.permutation(whole) for _ in range(1000)], float(whole.mean())
    bets = Bets(lowest=-1.0, highest=1.0, effect=0.05, population=population)
    # Looked at after every sample; 5 % and two and a half standard errors of 1,000 streams.
    assert ever(bets, streams, null) <= 0.05 + 2.5 * math.sqrt(0.05 * 0.95 / 1000)


def test_an_equal_model_is_let_through_by_about_as_many_samples_as_a_fixed_size_would_take():
    rng = np.random.default_rng(8)
    fixed = 6.18 * 0.3 / 0.05**2
    stops = []
    for _ in range(200):
        found = ONE_SIDED.log_wealth(paired(rng, 6000, 0.0, 0.3), -0.05) >= REFUTES
        stops.append(int(found.argmax()) + 1 if found.any() else 6000)
    assert 0.5 < np.median(stops) / fixed < 1.25


def test_a_limit_is_never_beyond_the_truth_in_more_than_one_of_twenty_streams_at_any_moment():
    rng = np.random.default_rng(9)
    bets, missed = Bets(lowest=0.0, highest=1.0, effect=0.05), 0
    for _ in range(400):
        stream = rng.beta(0.6, 1.4, size=200)
        # The limit only rises, so the last one says whether any was beyond.
        missed += bets.lower_limit(stream, 0.95) > 0.3
    assert missed / 400 <= 0.05 + 2.5 * math.sqrt(0.05 * 0.95 / 400)


@given(
    values=st.lists(st.floats(0, 1), min_size=2, max_size=30),
    null=st.floats(0.05, 0.9),
    population=st.sampled_from([None, 30, 100]),
)
def test_the_wealth_falls_as_the_mean_that_it_is_held_against_rises(values, null, population):
    bets = Bets(lowest=0.0, highest=1.0, effect=0.1, population=population)
    lower, higher = (bets.log_wealth(np.array(values), mean) for mean in (null, null + 0.1))
    assert all(one >= other - 1e-9 for one, other in zip(lower, higher, strict=True))


@given(values=st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_a_limit_never_falls_as_values_are_added_and_lies_below_their_mean(values):
    bets = Bets(lowest=0.0, highest=1.0, effect=0.1)
    limits = [bets.lower_limit(np.array(values[:count]), 0.95) for count in range(1, len(values) + 1)]
    assert all(later >= earlier - 1e-6 for earlier, later in pairwise(limits))
    assert limits[-1] <= max(values) + 1e-6


def test_values_that_can_not_be_are_refused():
    with pytest.raises(ValueError, match="outside"):
        ONE_SIDED.log_wealth(np.array([1.5]), 0.0)
    with pytest.raises(ValueError, match="population"):
        Bets(lowest=0.0, highest=1.0, effect=0.1, population=1).log_wealth(np.array([1.0, 1.0]), 0.5)


def test_the_asymptotic_bound_holds_from_the_first_look_on_at_a_hundred_values():
    rng = np.random.default_rng(10)
    missed = 0
    for _ in range(500):
        stream = rng.standard_normal(1000)
        counts = np.arange(100, 1001, 10)
        missed += any(
            stream[:count].mean() - asymptotic_radius(stream[:count].std(ddof=1) / count**0.5, count, 0.95, 300) > 0
            for count in counts
        )
    assert missed / 500 <= 0.05 + 2.5 * math.sqrt(0.05 * 0.95 / 500)


def test_the_asymptotic_bound_is_the_formula_of_its_paper():
    spread = (-2 * math.log(0.1) + math.log(-2 * math.log(0.1) + 1)) / 300
    expected = math.sqrt(2 * (200 * spread + 1) / (200**2 * spread) * math.log(1 + math.sqrt(200 * spread + 1) / 0.1))
    assert asymptotic_radius(2 / 200**0.5, 200, 0.95, 300) == pytest.approx(2 * expected, rel=1e-12)


def test_e_values_of_several_hypotheses_are_lowered_as_by_holm():
    # 100 / 3, then 30 / 2, then 14 / 1.
    found = e_holm([math.log(30), math.log(100), math.log(14)])
    assert found == pytest.approx([math.log(15), math.log(100 / 3), math.log(14)])
    assert e_holm([]) == []
