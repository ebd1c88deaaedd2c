"""How often the gate is wrong: n = 1,000 samples, of which 10 % differ between two models, 2,000 times."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from scipy import stats

from harness.core import statistics

DRAWS, N, DISCORDANCE = 2000, 1000, 0.1
CONFIDENCE = statistics.two_sided(0.95)


def stand(loss, margin, *, seed=1):
    """How often a model that is worse by `loss` clears the margin, lies beyond it, and neither."""
    generator = np.random.default_rng(seed)
    chances = [(DISCORDANCE - loss) / 2, (DISCORDANCE + loss) / 2, 1 - DISCORDANCE]
    gained, lost, _ = generator.multinomial(N, chances, size=DRAWS).T
    first = np.zeros(N)
    found = []
    for up, down in zip(gained, lost, strict=True):
        first[:], second = 0.0, np.zeros(N)
        second[:up], first[N - down :] = 1.0, 1.0
        difference = statistics.paired_difference(first, second, confidence=CONFIDENCE)
        found.append(statistics.standing(difference.low, difference.high, floor=-margin))
    return {name: found.count(name) / DRAWS for name in ("clears", "beyond", "undecided")}


def test_a_model_worse_by_just_the_margin_passes_in_5_of_100_cases_and_fails_in_5():
    often = stand(0.02, 0.02)
    assert often["clears"] == pytest.approx(0.05, abs=0.01)
    assert often["beyond"] == pytest.approx(0.05, abs=0.01)


def test_an_equal_model_is_never_failed_and_passes_as_often_as_planned():
    often = stand(0.0, 0.02)
    assert often["beyond"] < 0.001
    assert often["clears"] == pytest.approx(0.64, abs=0.04)  # z of 2 standard errors less 1.645
    assert stand(0.0, 0.05)["clears"] > 0.99


def test_a_model_worse_by_five_points_is_caught():
    often = stand(0.05, 0.02)
    assert often["clears"] < 0.001
    assert often["beyond"] == pytest.approx(0.91, abs=0.03)


def test_rare_losses_of_a_number_that_is_resampled_do_not_slip_through():
    # Of the right ones among 100 samples 2 % turn wrong, which is the margin. Resamples can't draw what didn't happen.
    generator = np.random.default_rng(4)
    passed = {"plain": 0, "widened": 0}
    for _ in range(400):
        first = (generator.random(100) < 0.6).astype(float)
        lost = generator.random(100) < 0.02
        second = np.where(lost, 0.0, first)
        before, after = (statistics.ratio_of(side, np.ones(100), np.square) for side in (first, second))
        found = statistics.paired_bootstrap(before, after, 100, rng=Random(1), resamples=300, confidence=CONFIDENCE)
        if found.stderr is None:
            found = replace(found, low=0.0, high=0.0)
        widened = statistics.with_rare_changes(found, before, list(first != second), None, CONFIDENCE)
        # The square of the share falls from 0.36 to (0.6 x 0.98)^2.
        for name, one in (("plain", found), ("widened", widened)):
            passed[name] += statistics.standing(one.low, one.high, floor=0.588**2 - 0.36) == "clears"
    assert passed["widened"] / 400 < 0.06
    assert passed["plain"] / 400 > 0.2


def test_samples_that_share_passages_keep_the_error_rate():
    # 100 passages of 10 questions; the difference goes with the passage, its mean is minus the margin.
    generator = np.random.default_rng(6)
    names = [f"passage {index // 10}" for index in range(N)]
    passed, naive = 0, 0
    for _ in range(DRAWS):
        change = np.repeat(generator.normal(-0.02, 0.1, 100), 10) + generator.normal(0, 0.1, N)
        robust, plain = (
            statistics.paired_difference(np.zeros(N), change, clusters, CONFIDENCE) for clusters in (names, None)
        )
        passed += statistics.standing(robust.low, robust.high, floor=-0.02) == "clears"
        naive += statistics.standing(plain.low, plain.high, floor=-0.02) == "clears"
    assert passed / DRAWS == pytest.approx(0.05, abs=0.01)
    assert naive / DRAWS > 0.15


def test_of_many_equal_groups_one_alarm_in_twenty_policies_is_false():
    # Eight groups of 100, all just at the margin: any alarm is false.
    generator = np.random.default_rng(2)
    losses = generator.normal(-0.05, 0.3, (DRAWS, 8, 100))
    errors = losses.std(axis=2, ddof=1) / 10
    p_values = stats.t.cdf((losses.mean(axis=2) + 0.05) / errors, df=99)
    alarmed = np.mean([min(statistics.holm(row.tolist())) <= 0.05 for row in p_values])
    assert alarmed == pytest.approx(0.05, abs=0.015)
    assert np.mean((p_values <= 0.05).any(axis=1)) > 0.3
