"""Differences against scipy, statsmodels and R, and their errors against simulation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from harness.core import statistics

numbers = st.floats(-1e3, 1e3, allow_nan=False).map(lambda number: round(number, 3))
DRAWS = 2000
FEW_DRAWS = 400


def without_skewness(changes, names):
    """Changes and their mirror images, so that the correction for skewness has nothing to correct."""
    return [*changes, *(2 - np.asarray(changes))], [*names, *(f"mirrored {name}" for name in names)]


@given(st.lists(numbers.filter(lambda number: number not in (0, 1, 2)), min_size=2, max_size=20))
def test_a_paired_difference_is_that_of_a_paired_t_test(listed):
    changes, _ = without_skewness(listed, listed)
    first = np.arange(len(changes)) / 7
    second = first + changes
    found = statistics.paired_difference(first, second)
    truth = stats.ttest_rel(second, first)
    interval = truth.confidence_interval(0.95)
    assert found.value == pytest.approx(1)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-6, abs=1e-6)
    assert found.p_value == pytest.approx(truth.pvalue, abs=1e-6)


def test_a_clustered_difference_is_the_cluster_robust_one_of_statsmodels():
    generator = np.random.default_rng(5)
    one_side = generator.normal(size=102) + np.repeat(generator.normal(size=17), 6)
    changes, clusters = without_skewness(one_side, [f"passage {index // 6}" for index in range(102)])
    found = statistics.paired_difference(np.zeros(204), changes, clusters)
    groups = np.unique(clusters, return_inverse=True)[1]
    fit = OLS(changes, np.ones(204)).fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)
    # statsmodels has the further factor (n - 1) / (n - k), which is 1 for a single coefficient.
    assert found.stderr == pytest.approx(fit.bse[0], rel=1e-9)
    assert (found.low, found.high) == pytest.approx(tuple(fit.conf_int()[0]), rel=1e-9)
    assert found.p_value == pytest.approx(fit.pvalues[0], abs=1e-6)
    assert (found.n, found.cluster_count) == (204, 34)


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


@settings(max_examples=20)  # statsmodels takes a tenth of a second for each
@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_is_that_of_statsmodels(p_values):
    truth = multipletests(p_values, method="holm")[1] if p_values else []
    assert statistics.holm(p_values) == pytest.approx(list(truth))


def test_pairs_that_all_agree_still_have_an_interval():
    same = [0.25, 0.5, 1.0] * 20
    passages = [f"passage {index // 2}" for index in range(60)]
    found = statistics.paired_difference(same, same, passages, lowest=0.0, highest=1.0)
    # No passage of 30 gains, none loses: the ends are those of the score interval of 0 in 30.
    squared = stats.t.ppf(0.975, 29) ** 2
    reach = squared / (30 + squared)
    assert (found.low, found.high) == pytest.approx((-reach, reach), abs=1e-9)
    assert found.p_value == 1
    seen = statistics.paired_difference(same, same, passages)
    assert (seen.low, seen.high) == pytest.approx((-0.75 * reach, 0.75 * reach), abs=1e-9)


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
    shared = np.repeat(generator.normal(0, 1, (FEW_DRAWS, clusters)), size, axis=1)
    changes = 0.4 + shared + generator.normal(0, 1, shared.shape)
    names = [f"passage {index // size}" for index in range(clusters * size)]
    found = [statistics.paired_difference(np.zeros(len(names)), row, names) for row in changes]
    assert _covered(found, 0.4) == pytest.approx(0.95, abs=0.025)
    naive = [statistics.paired_difference(np.zeros(len(names)), row) for row in changes[:200]]
    assert _covered(naive, 0.4) < 0.8


def test_few_clusters_of_zeros_and_ones_are_covered_too():
    # A model that gains on some passages and loses on others: ten questions a passage, answers go together.
    generator = np.random.default_rng(3)
    ease = np.repeat(generator.uniform(0.2, 0.8, (FEW_DRAWS, 25)), 10, axis=1)
    first, second = (generator.random(ease.shape) < ease).astype(float), (generator.random(ease.shape) < ease)
    names = [f"passage {index // 10}" for index in range(250)]
    found = [statistics.paired_difference(one, two, names) for one, two in zip(first, second, strict=True)]
    assert _covered(found, 0.0) == pytest.approx(0.95, abs=0.025)


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
