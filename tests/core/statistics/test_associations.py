"""Areas under ROC curves, correlations, and what clusters make of them."""

import math

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from harness.core.statistics.auroc import auroc
from harness.core.statistics.clusters import inflation
from harness.core.statistics.correlations import correlation


def drawn(n, seed):
    generator = np.random.default_rng(seed)
    first = generator.uniform(-1, 1, n)
    return first, 0.6 * first + 0.8 * generator.uniform(-1, 1, n)


def test_the_area_is_scikit_learns_and_turns_round_with_the_classes():
    values, other = drawn(60, 1)
    positive = other > 0.2
    found, turned = auroc(values.tolist(), positive.tolist()), auroc(values.tolist(), (~positive).tolist())
    assert found.value == pytest.approx(roc_auc_score(positive, values))
    assert (turned.low, turned.high) == pytest.approx((1 - found.high, 1 - found.low))


def test_a_perfect_order_of_few_is_no_certainty():
    found = auroc([1, 2, 3, 4, 5, 6], [False] * 3 + [True] * 3)
    assert found.value == found.high == 1
    # Where the area is 1 the lower end solves 1 - a = z^2 a (1 + (n* - 1) (...)) / (m n), n* half of all samples.
    spread = (1 + 2 * ((1 - found.low) / (2 - found.low) + found.low / (1 + found.low))) / 9
    assert 1 - found.low == pytest.approx(1.959964**2 * found.low * spread, rel=1e-5)
    assert found.stderr > 0


def test_no_area_without_one_of_the_classes():
    assert math.isnan(auroc([1.0, 2.0], [True, True]).value)


def test_pearsons_interval_is_scipys_where_tails_are_short():
    first, second = drawn(50, 2)
    theirs = stats.pearsonr(first, second)
    found = correlation(first, second)
    assert found.value == pytest.approx(theirs.statistic)
    assert (found.low, found.high) == pytest.approx(tuple(theirs.confidence_interval(0.95)))


def test_spearmans_interval_is_that_of_bonett_and_wright():
    first, second = drawn(50, 3)
    found = correlation(first, second, of_ranks=True)
    rho = stats.spearmanr(first, second).statistic
    reach = stats.norm.ppf(0.975) * math.sqrt((1 + rho**2 / 2) / 47)
    assert found.value == pytest.approx(rho)
    assert (found.low, found.high) == pytest.approx(
        (math.tanh(math.atanh(rho) - reach), math.tanh(math.atanh(rho) + reach))
    )


def test_long_tails_widen_pearsons_interval():
    first, second = drawn(200, 4)
    first, second = first**5, second**5
    theirs = stats.pearsonr(first, second).confidence_interval(0.95)
    found = correlation(first, second)
    assert found.high - found.low > theirs.high - theirs.low


def test_copies_in_clusters_are_worth_no_more_than_one():
    first, second = drawn(40, 5)
    positive, names = second > 0, [str(index) for index in range(40) for _ in range(3)]
    influence = np.random.default_rng(6).normal(size=40)
    assert inflation(np.repeat(influence, 3), names) == pytest.approx(3 * 40 / 39)
    assert inflation(influence, None) == pytest.approx(40 / 39)
    for once, thrice in (
        (
            auroc(first.tolist(), positive.tolist()),
            auroc(np.repeat(first, 3).tolist(), np.repeat(positive, 3).tolist(), names),
        ),
        (correlation(first, second), correlation(np.repeat(first, 3), np.repeat(second, 3), names)),
    ):
        assert thrice.value == pytest.approx(once.value)
        assert thrice.stderr == pytest.approx(once.stderr, rel=0.1)
        assert thrice.low < once.low
