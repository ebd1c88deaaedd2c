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


@given(st.lists(numbers, min_size=2, max_size=40).filter(lambda values: len(set(values)) > 1))
def test_the_interval_of_a_mean_is_that_of_a_t_test(values: list[float]) -> None:
    interval = statistics.mean(values)
    truth = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    assert interval.value == pytest.approx(np.mean(values))
    assert interval.stderr == pytest.approx(stats.sem(values))
    assert (interval.low, interval.high) == pytest.approx((truth.low, truth.high), rel=1e-9, abs=1e-9)


@given(bits)
def test_the_interval_of_a_share_is_wilsons(successes: list[float]) -> None:
    interval = statistics.proportion(successes)
    truth = stats.binomtest(int(sum(successes)), len(successes)).proportion_ci(0.95, method="wilson")
    assert (interval.low, interval.high) == pytest.approx((truth.low, truth.high), abs=1e-12)
    assert interval.stderr == pytest.approx(stats.sem(successes))
    assert interval.method == "wilson"


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
    assert interval.stderr == pytest.approx(math.sqrt((1 + 0.25 + 0.25) * 3 / 2) / 4)
    assert interval.method == "t, clustered"


@given(st.lists(st.tuples(numbers, st.integers(0, 4)), min_size=4, max_size=40))
def test_the_clustered_error_of_a_mean_is_the_sandwich_of_a_regression_on_a_constant(
    pairs: list[tuple[float, int]],
) -> None:
    values = np.array([value for value, _ in pairs])
    names = [f"passage {number}" for _, number in pairs]
    groups = sorted(set(names))
    if len(groups) < 2:
        return
    design = np.ones((len(values), 1))
    residuals = values - values.mean()
    meat = sum(
        (design[rows].T @ residuals[rows][:, None]) @ (design[rows].T @ residuals[rows][:, None]).T
        for rows in ([i for i, name in enumerate(names) if name == group] for group in groups)
    )
    bread = np.linalg.inv(design.T @ design)
    correction = len(groups) / (len(groups) - 1)
    truth = math.sqrt((correction * bread @ meat @ bread).item())
    assert statistics.mean(values.tolist(), names).stderr == pytest.approx(truth, rel=1e-6, abs=1e-9)


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
