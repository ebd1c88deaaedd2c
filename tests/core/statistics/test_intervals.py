import math
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from harness.core import statistics

numbers = st.floats(-1e3, 1e3, allow_nan=False).map(lambda number: round(number, 3))
bits = st.lists(st.sampled_from([0.0, 1.0]), min_size=2, max_size=60)


@given(st.lists(numbers, min_size=2, max_size=20).filter(lambda values: len(set(values)) > 1))
def test_the_interval_of_a_mean_without_skewness_is_that_of_a_t_test(values: list[float]) -> None:
    mirrored = [*values, *(-value for value in values)]
    interval = statistics.mean(mirrored)
    truth = stats.ttest_1samp(mirrored, 0.0).confidence_interval(0.95)
    assert interval.value == pytest.approx(0, abs=1e-9)
    assert interval.stderr == pytest.approx(stats.sem(mirrored))
    assert (interval.low, interval.high) == pytest.approx((truth.low, truth.high), rel=1e-9, abs=1e-9)


def test_a_skewed_mean_is_covered_where_a_plain_t_interval_misses() -> None:
    generator = np.random.default_rng(4)
    draws = generator.exponential(size=(1500, 30)) ** 1.5
    truth = 1.3293403881791370
    plain = stats.ttest_1samp(draws, 0.0, axis=1).confidence_interval(0.95)
    corrected = [statistics.mean(row.tolist(), lowest=0.0) for row in draws]
    missed = np.mean([(one.high or 0) < truth for one in corrected])
    assert np.mean(plain.high < truth) > 0.08
    assert missed < 0.065
    assert np.mean([(one.low or 0) > truth for one in corrected]) < 0.035


@given(bits)
def test_the_interval_of_a_share_is_wilsons_but_next_to_a_few_hits(successes: list[float]) -> None:
    interval = statistics.proportion(successes)
    hits, n = int(sum(successes)), len(successes)
    truth = stats.binomtest(hits, n).proportion_ci(0.95, method="wilson")
    # Brown, Cai and DasGupta (2001): up to 3 hits the lower end is the mean of a Poisson count with 5 % at them or up.
    low = min(truth.low, stats.gamma.ppf(0.05, hits) / n) if 0 < hits <= min(3, (n - 1) // 2) else truth.low
    high = max(truth.high, 1 - stats.gamma.ppf(0.05, n - hits) / n) if 0 < n - hits <= min(3, n // 2) else truth.high
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=1e-12)
    assert interval.stderr == pytest.approx(stats.sem(successes))
    assert interval.method == "wilson"


@given(bits)
def test_the_exact_interval_of_a_share_is_that_of_scipy(successes: list[float]) -> None:
    interval = statistics.exact_proportion(successes)
    truth = stats.binomtest(int(sum(successes)), len(successes)).proportion_ci(0.95, method="exact")
    assert (interval.low, interval.high) == pytest.approx((truth.low, truth.high), abs=1e-9)


def test_a_ceiling_of_2_percent_is_not_failed_more_often_than_the_confidence_allows() -> None:
    # 30 answers of a model whose true share is just at the ceiling: the chance that the bound lies above it.
    chances = stats.binom.pmf(range(31), 30, 0.02)
    exact, score = 0.0, 0.0
    for hits, chance in enumerate(chances):
        bound = statistics.exact_proportion([1.0] * hits + [0.0] * (30 - hits), confidence=0.9).low or 0
        exact += chance * (bound > 0.02)
        score += chance * (stats.binomtest(hits, 30).proportion_ci(0.9, method="wilson").low > 0.02)
    assert exact <= 0.05
    assert score > 0.1


def test_a_share_is_only_made_of_zeros_and_ones() -> None:
    with pytest.raises(ValueError, match="zeros and ones"):
        statistics.proportion([0.0, 0.5, 1.0])


@given(bits, st.data())
def test_clusters_of_one_sample_each_change_nothing(successes: list[float], data: st.DataObject) -> None:
    alone = [data.draw(st.sampled_from([None, f"passage {index}"])) for index in range(len(successes))]
    assert statistics.proportion(successes, alone) == statistics.proportion(successes)
    assert statistics.mean(successes, alone) == statistics.mean(successes)


def test_a_clustered_standard_error_worked_out_by_hand() -> None:
    # Mean 0.5; residuals 0.5, 0.5, -0.5, -0.5; sums by passage 1, -0.5, -0.5; three clusters of four samples.
    interval = statistics.mean([1.0, 1.0, 0.0, 0.0], ["a", "a", "b", None])
    # Each over 1 less its cluster's share of the samples, 1/2, 1/4 and 1/4 (CR2).
    assert interval.stderr == pytest.approx(math.sqrt(1 / 0.5 + 0.25 / 0.75 + 0.25 / 0.75) / 4)
    assert interval.method == "t, skewness corrected, clustered"


@given(st.lists(st.tuples(numbers, st.integers(0, 4)), min_size=4, max_size=40))
def test_the_clustered_error_of_a_mean_is_that_of_bell_and_mccaffrey(pairs: list[tuple[float, int]]) -> None:
    values = np.array([value for value, _ in pairs])
    names = np.array([number for _, number in pairs])
    groups = [np.flatnonzero(names == name) for name in sorted(set(names))]
    if len(groups) < 2:
        return
    # As the paper has it for any regression, here on a constant: whole matrices, no shortcut.
    n = len(values)
    maker = np.eye(n) - np.full((n, n), 1 / n)
    residuals = maker @ values
    variance, columns = 0.0, []
    for rows in groups:
        eigenvalues, vectors = np.linalg.eigh(maker[np.ix_(rows, rows)])
        adjusted = vectors @ np.diag(eigenvalues**-0.5) @ vectors.T @ np.ones(len(rows))
        variance += float(adjusted @ residuals[rows]) ** 2 / n**2
        columns.append(maker[:, rows] @ adjusted / n)
    products = np.array(columns) @ np.array(columns).T
    found = statistics.linear(values, np.ones(n), [f"passage {name}" for name in names])
    assert found is not None
    assert found.stderr == pytest.approx(math.sqrt(variance), rel=1e-6, abs=1e-9)
    assert found.degrees == pytest.approx(max(1.0, np.trace(products) ** 2 / (products**2).sum()), rel=1e-9)


def test_samples_that_say_the_same_thing_count_once() -> None:
    fivefold = [value for value in [1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0] for _ in range(5)]
    passages = [f"passage {index // 5}" for index in range(40)]
    clustered = statistics.proportion(fivefold, passages)
    once = statistics.proportion(fivefold[::5])
    assert clustered.stderr == pytest.approx(once.stderr)
    assert clustered.high is not None
    assert clustered.low is not None
    assert clustered.high - clustered.low > 2 * (1.96 * 0.5 / math.sqrt(40))


@given(
    st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.integers(0, 5)), min_size=3, max_size=40).filter(
        lambda pairs: 1 < len({number for _, number in pairs}) < len(pairs)
    )
)
def test_the_interval_of_a_clustered_share_stays_between_0_and_1_and_has_width(
    pairs: list[tuple[float, int]],
) -> None:
    interval = statistics.proportion([value for value, _ in pairs], [f"passage {number}" for _, number in pairs])
    assert interval.low is not None
    assert interval.high is not None
    assert 0 <= interval.low <= interval.value <= interval.high <= 1
    assert interval.high - interval.low > 0.01


def test_the_interval_of_a_clustered_share_covers_the_truth_as_often_as_it_says() -> None:
    generator = np.random.default_rng(7)
    passages = [f"passage {index // 4}" for index in range(160)]
    covered = 0
    for _ in range(500):
        ease = np.repeat(generator.beta(0.7, 0.7, size=40), 4)
        interval = statistics.proportion((generator.random(160) < ease).astype(float).tolist(), passages)
        assert interval.low is not None
        assert interval.high is not None
        covered += interval.low <= 0.5 <= interval.high
    assert 0.92 <= covered / 500 <= 0.98


@pytest.mark.parametrize(("alpha", "beta", "count"), [(2, 1, 30), (0.5, 0.5, 30), (8, 1, 60), (3, 0.3, 40)])
def test_the_interval_of_a_mean_in_0_to_1_covers_the_truth_as_often_as_it_says(alpha, beta, count) -> None:
    draws = np.random.default_rng(1).beta(alpha, beta, (2000, count))
    intervals = [statistics.bounded_mean(row.tolist()) for row in draws]
    truth = alpha / (alpha + beta)
    covered = np.mean([one.low <= truth <= one.high for one in intervals])  # type: ignore[operator]
    assert 0.93 <= covered <= 0.97


def test_all_samples_in_one_cluster_hold_no_error() -> None:
    interval = statistics.proportion([1.0, 0.0, 1.0], ["a", "a", "a"])
    assert interval.value == pytest.approx(2 / 3)
    assert (interval.stderr, interval.low, interval.high) == (None, None, None)


@given(st.lists(numbers, min_size=2, max_size=40))
def test_a_ratio_over_ones_is_a_mean(values: list[float]) -> None:
    assert statistics.ratio(values, [1.0] * len(values)) == statistics.mean(values)


def test_the_error_of_a_ratio_agrees_with_the_jackknife() -> None:
    generator = np.random.default_rng(3)
    tokens = generator.integers(5, 60, size=400).astype(float)
    nats = tokens * generator.normal(3, 0.5, size=400)
    left_out = (nats.sum() - nats) / (tokens.sum() - tokens)
    jackknife = math.sqrt(399 / 400 * ((left_out - left_out.mean()) ** 2).sum())
    assert statistics.ratio(nats.tolist(), tokens.tolist()).stderr == pytest.approx(jackknife, rel=0.02)


def test_a_bootstrap_of_a_mean_is_near_the_analytic_interval() -> None:
    values = np.random.default_rng(1).normal(10, 2, size=200)
    drawn = statistics.bootstrap(lambda rows: float(values[rows].mean()), 200, rng=Random("1"), resamples=4000)
    truth = statistics.mean(values.tolist())
    assert drawn.stderr == pytest.approx(truth.stderr, rel=0.06)
    assert (drawn.low, drawn.high) == pytest.approx((truth.low, truth.high), abs=0.05)


def test_a_bootstrap_draws_whole_clusters() -> None:
    values = np.repeat(np.random.default_rng(2).normal(0, 1, size=60), 5)
    passages = [f"passage {index // 5}" for index in range(300)]
    drawn = statistics.bootstrap(
        lambda rows: float(values[rows].mean()), 300, rng=Random("1"), clusters=passages, resamples=3000
    )
    assert drawn.stderr == pytest.approx(statistics.mean(values.tolist(), passages).stderr, rel=0.06)


def test_a_bootstrap_depends_on_its_seed_alone() -> None:
    values = np.random.default_rng(1).normal(size=30)

    def draw(seed: str) -> statistics.Interval:
        return statistics.bootstrap(lambda rows: float(values[rows].mean()), 30, rng=Random(seed), resamples=200)

    assert draw("a") == draw("a")
    assert draw("a") != draw("b")


def test_a_bootstrap_whose_resamples_all_agree_claims_no_error() -> None:
    interval = statistics.bootstrap(lambda _: 1.0, 20, rng=Random("a"))
    assert interval == statistics.Interval(value=1.0, stderr=None, low=None, high=None, method=None)


def test_a_bootstrap_says_how_many_resamples_were_undefined_and_gives_up_when_most_are() -> None:
    def needs_the_first(rows: NDArray[np.intp]) -> float:
        return float(rows.mean()) if 0 in rows else math.nan

    some = statistics.bootstrap(needs_the_first, 20, rng=Random("a"), resamples=500)
    assert some.method is not None
    used = int(some.method.removeprefix("bias-corrected bootstrap, ").split(" of ")[0])
    assert used / 500 == pytest.approx(1 - (19 / 20) ** 20, abs=0.07)

    def needs_the_first_five_times(rows: NDArray[np.intp]) -> float:
        return float(rows.mean()) if (rows == 0).sum() >= 5 or len(set(rows)) == 20 else math.nan

    assert statistics.bootstrap(needs_the_first_five_times, 20, rng=Random("a"), resamples=500).stderr is None


def test_a_value_that_rounding_puts_beyond_its_range_is_at_its_end():
    found = statistics.mean([1.0000000000000002, 0.5, -1.0], lowest=-1.0, highest=1.0)
    assert found.value == pytest.approx(0.5 / 3)
    assert -1 <= found.low < found.value < found.high <= 1
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        statistics.mean([1.1, 0.5], lowest=-1.0, highest=1.0)
