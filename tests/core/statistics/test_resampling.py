from functools import partial
from random import Random

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import f1_score, matthews_corrcoef

from harness.core import statistics
from harness.core.scores import Score
from harness.metrics.standard import MACRO_F1, MCC, WORD_PERPLEXITY


def test_a_paired_bootstrap_of_means_is_near_the_paired_t_test():
    generator = np.random.default_rng(1)
    hard = generator.normal(0, 3, 150)
    first, second = hard + generator.normal(0, 1, 150), hard + generator.normal(0.3, 1, 150)
    found = statistics.paired_bootstrap(
        statistics.mean_of(first), statistics.mean_of(second), 150, rng=Random("1"), confidence=0.9
    )
    truth = stats.ttest_rel(second, first)
    assert (found.low, found.high) == pytest.approx(tuple(truth.confidence_interval(0.9)), abs=0.02)
    assert found.p_value == pytest.approx(truth.pvalue, abs=0.01)
    assert found.method == "bias-corrected bootstrap, 10000 resamples"


def test_resamples_that_lie_below_the_value_move_the_interval_up():
    values = np.random.default_rng(8).exponential(size=60)
    found = statistics.bootstrap(lambda rows: float(np.std(values[rows])), 60, rng=Random("a"), resamples=4000)
    # scipy corrects for acceleration besides, which moves the interval of a skewed statistic further.
    plain, accelerated = (
        stats.bootstrap((values,), np.std, n_resamples=4000, rng=1, method=method).confidence_interval
        for method in ("percentile", "BCa")
    )
    assert plain.low < found.low < accelerated.low
    assert plain.high < found.high < accelerated.high


def test_sums_and_rows_see_the_same_resamples():
    generator = np.random.default_rng(3)
    top, bottom = generator.normal(3, 1, 90), generator.uniform(1, 5, 90)
    clusters = [f"passage {index // 3}" for index in range(90)]
    sums = statistics.ratio_of(top, bottom)
    zero = statistics.mean_of(np.zeros(90))
    fast = statistics.paired_bootstrap(zero, sums, 90, rng=Random("x"), clusters=clusters, resamples=500)
    slow = statistics.paired_bootstrap(
        zero, lambda rows: float(top[rows].sum() / bottom[rows].sum()), 90, rng=Random("x"), clusters=clusters,
        resamples=500,
    )  # fmt: skip
    assert (fast.value, fast.low, fast.high) == pytest.approx((slow.value, slow.low, slow.high), rel=1e-9)
    assert fast.stderr == pytest.approx(statistics.ratio(top, bottom, clusters).stderr, rel=0.15)
    assert fast.cluster_count == 30


def _labelled(gold, predicted):
    pairs = zip(gold, predicted, strict=True)
    return [Score(sample_id=str(i), metric="m", gold=one, predicted=other) for i, (one, other) in enumerate(pairs)]


@pytest.mark.parametrize(
    ("metric", "theirs"), [(MACRO_F1, partial(f1_score, average="macro")), (MCC, matthews_corrcoef)]
)
def test_label_metrics_of_counts_are_those_of_scikit_learn(metric, theirs):
    generator = np.random.default_rng(6)
    gold, predicted = generator.choice(list("abcd"), 60), generator.choice(list("abce"), 60)
    scores = _labelled(gold.tolist(), predicted.tolist())
    fast = metric.resampled(scores)
    labels = sorted({*gold.tolist(), *predicted.tolist()})
    for _ in range(30):
        rows = generator.integers(60, size=60)
        truth = np.nan
        if set(gold[rows]) == set(gold):
            more = {} if metric is MCC else {"labels": labels}
            truth = theirs(gold[rows], predicted[rows], **more)
        assert fast(rows) == pytest.approx(truth, nan_ok=True)


def test_what_is_undefined_on_a_resample_is_left_out_and_counted():
    scores = _labelled(["a"] * 29 + ["b"], ["a"] * 28 + ["b", "b"])
    found = statistics.bootstrap(MACRO_F1.resampled(scores), 30, rng=Random("a"), resamples=2000)
    assert found.method is not None
    used = int(found.method.split(", ")[1].split(" of ")[0])
    assert used / 2000 == pytest.approx(1 - (29 / 30) ** 30, abs=0.05)


def test_a_perplexity_is_recomputed_from_sums():
    scores = [Score(sample_id=str(i), metric="m", value=2.0 + i, weight=3.0 + i) for i in range(10)]
    whole = WORD_PERPLEXITY.resampled(scores)(np.arange(10))
    assert whole == pytest.approx(WORD_PERPLEXITY.reduce(scores, Random(1)).value)


def test_paired_intervals_of_ratios_cover_the_truth_as_often_as_they_say():
    generator = np.random.default_rng(9)
    covered, draws = 0, 2000
    weights = generator.uniform(5, 50, (draws, 200))
    hard = generator.normal(0, 1, (draws, 200))
    first = weights * (3 + hard + generator.normal(0, 0.5, (draws, 200)))
    second = weights * (3.1 + hard + generator.normal(0, 0.5, (draws, 200)))
    for index in range(draws):
        found = statistics.paired_bootstrap(
            statistics.ratio_of(first[index], weights[index]),
            statistics.ratio_of(second[index], weights[index]),
            200,
            rng=Random(index),
            resamples=1000,
        )
        covered += found.low <= 0.1 <= found.high
    assert covered / draws == pytest.approx(0.95, abs=0.01)
