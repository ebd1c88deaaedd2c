"""Differences against scipy, statsmodels and R, and their errors against simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from harness.core import statistics

numbers = st.floats(-1e3, 1e3, allow_nan=False).map(lambda number: round(number, 3))
pairs = st.lists(st.tuples(numbers, numbers), min_size=3, max_size=40).filter(
    lambda listed: len({round(second - first, 3) for first, second in listed}) > 1
)
DRAWS = 2000


@given(pairs)
def test_a_paired_difference_is_that_of_a_paired_t_test(listed):
    first, second = (list(column) for column in zip(*listed, strict=True))
    found = statistics.paired_difference(first, second)
    truth = stats.ttest_rel(second, first)
    interval = truth.confidence_interval(0.95)
    assert found.value == pytest.approx(np.mean(second) - np.mean(first), abs=1e-9)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-6, abs=1e-6)
    assert found.p_value == pytest.approx(truth.pvalue, abs=1e-6)


def test_a_clustered_difference_is_the_cluster_robust_one_of_statsmodels():
    generator = np.random.default_rng(5)
    clusters = np.repeat(np.arange(17), 6)
    first, second = generator.normal(size=(2, 102)) + np.repeat(generator.normal(size=17), 6)
    found = statistics.paired_difference(first, second, [f"passage {number}" for number in clusters])
    fit = OLS(second - first, np.ones(102)).fit(cov_type="cluster", cov_kwds={"groups": clusters}, use_t=True)
    # statsmodels has the further factor (n - 1) / (n - k), which is 1 for a single coefficient.
    assert found.stderr == pytest.approx(fit.bse[0], rel=1e-9)
    assert (found.low, found.high) == pytest.approx(tuple(fit.conf_int()[0]), rel=1e-9)
    assert found.p_value == pytest.approx(fit.pvalues[0], rel=1e-9)
    assert (found.n, found.cluster_count) == (102, 17)


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40))
def test_the_exact_test_of_mcnemar_is_that_of_statsmodels(gained, lost, agreed):
    truth = mcnemar([[agreed, gained], [lost, 0]], exact=True).pvalue
    assert statistics.exact_mcnemar(gained, lost) == pytest.approx(truth, abs=1e-12)


@pytest.mark.parametrize(
    ("gained", "lost", "n", "confidence", "low", "high"),
    [
        # Airway hyper-responsiveness before and after a transplant: Fagerland, Lydersen and Laake (2014).
        (1, 7, 21, 0.95, -0.517, -0.026),
        # scoreci.mp(25, 28, 618, 0.90) of R's PropCIs.
        (28, 25, 618, 0.90, -0.0148, 0.0247),
        # Nothing differs: the score test rejects beyond z^2 / (n + z^2).
        (0, 0, 100, 0.95, -3.8415 / 103.8415, 3.8415 / 103.8415),
    ],
)
def test_the_score_interval_of_a_difference_is_the_published_one(gained, lost, n, confidence, low, high):
    assert statistics.tango(gained, lost, n, confidence) == pytest.approx((low, high), abs=6e-4)


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30).map(lambda more: more + 1))
def test_the_score_interval_holds_its_value_has_width_and_turns_round_with_the_sides(gained, lost, more):
    n = gained + lost + more
    low, high = statistics.tango(gained, lost, n)
    assert -1 <= low < (gained - lost) / n < high <= 1
    assert statistics.tango(lost, gained, n) == pytest.approx((-high, -low), abs=1e-9)


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_is_that_of_statsmodels(p_values):
    truth = multipletests(p_values, method="holm")[1] if p_values else []
    assert statistics.holm(p_values) == pytest.approx(list(truth))


def test_pairs_that_all_agree_still_have_an_interval():
    same = [0.25, 0.5, 1.0] * 20
    found = statistics.paired_difference(same, same, [f"passage {index // 2}" for index in range(60)])
    assert (found.low, found.high) == pytest.approx((-3.8415 / 33.8415, 3.8415 / 33.8415), abs=1e-4)
    assert found.p_value == 1


def test_pairs_of_unequal_number_are_refused():
    with pytest.raises(ValueError, match="as many"):
        statistics.paired_difference([1.0], [1.0, 0.0])


def _covered(found, truth):
    return np.mean([one.low <= truth <= one.high for one in found])


def test_intervals_of_paired_shares_cover_the_truth_as_often_as_they_say():
    # 10 % of 400 samples differ, the second model loses 3 points.
    outcomes = np.random.default_rng(11).choice([1, -1, 0], p=[0.035, 0.065, 0.9], size=(DRAWS, 400))
    found = [
        statistics.paired_difference((row < 0).astype(float), (row > 0).astype(float)) for row in outcomes.astype(int)
    ]
    assert _covered(found, -0.03) == pytest.approx(0.95, abs=0.01)


@pytest.mark.parametrize(("clusters", "size"), [(12, 8), (100, 10)])
def test_clustered_intervals_cover_the_truth_as_often_as_they_say(clusters, size):
    generator = np.random.default_rng(clusters)
    shared = np.repeat(generator.normal(0, 1, (DRAWS, clusters)), size, axis=1)
    changes = 0.4 + shared + generator.normal(0, 1, shared.shape)
    names = [f"passage {index // size}" for index in range(clusters * size)]
    found = [statistics.paired_difference(np.zeros(len(names)), row, names) for row in changes[:DRAWS]]
    assert _covered(found, 0.4) == pytest.approx(0.95, abs=0.01)
    naive = [statistics.paired_difference(np.zeros(len(names)), row) for row in changes[:200]]
    assert _covered(naive, 0.4) < 0.8


def test_few_clusters_of_zeros_and_ones_are_covered_too():
    # A model that gains on some passages and loses on others: ten questions a passage, answers go together.
    generator = np.random.default_rng(3)
    ease = np.repeat(generator.uniform(0.2, 0.8, (DRAWS, 25)), 10, axis=1)
    first, second = (generator.random(ease.shape) < ease).astype(float), (generator.random(ease.shape) < ease)
    names = [f"passage {index // 10}" for index in range(250)]
    found = [statistics.paired_difference(one, two, names) for one, two in zip(first, second, strict=True)]
    assert _covered(found, 0.0) == pytest.approx(0.95, abs=0.01)


def test_the_mean_over_tasks_has_the_error_of_independent_parts():
    one = statistics.paired_difference([0.0, 1.0, 2.0], [1.0, 1.0, 4.0])
    two = statistics.paired_difference([0.0, 1.0, 2.0, 3.0], [0.0, 2.0, 2.0, 5.0])
    found = statistics.mean_of_differences([one, two])
    assert found is not None
    assert one.stderr is not None
    assert two.stderr is not None
    assert found.value == pytest.approx((one.value + two.value) / 2)
    assert found.stderr == pytest.approx(math.hypot(one.stderr, two.stderr) / 2)
    assert found.n == 7
    assert statistics.mean_of_differences([one]) == one


def test_an_unpaired_difference_is_the_test_of_welch_in_large_samples():
    generator = np.random.default_rng(2)
    first, second = generator.normal(0, 1, 4000), generator.normal(0.05, 2, 3000)
    found = statistics.independent_difference(
        statistics.mean(first.tolist()), statistics.mean(second.tolist()), confidence=0.9
    )
    truth = stats.ttest_ind(second, first, equal_var=False)
    assert found is not None
    assert found.p_value == pytest.approx(truth.pvalue, abs=1e-3)
    assert (found.low, found.high) == pytest.approx(tuple(truth.confidence_interval(0.9)), abs=1e-3)
