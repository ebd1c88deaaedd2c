"""The intervals that every registered metric gives: what they always are, and how often they hold (in short)."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.coverage.kinds import kind_of
from benchmarks.coverage.scenario import Scenario
from benchmarks.coverage.scenarios import scenarios, unsimulated
from benchmarks.coverage.simulation import simulate
from harness.core import registry, statistics
from harness.core.metrics import Mean, Undefined
from harness.core.pairing import Pairs
from harness.core.scores import Score
from harness.metrics.calibration_distances import Resolution
from harness.metrics.labels import class_report
from harness.metrics.standard import ACC, MACRO_F1, TOKEN_PERPLEXITY
from suites.robustness.metrics import NOISY_SCORE, RELATIVE_DROP

LISTED = [*scenarios()]


def test_every_registered_metric_is_simulated_or_says_why_not():
    simulated, left_out = {kind_of(one.metric) for one in LISTED}, unsimulated()
    missing = {
        (type(metric).__name__, metric.name)
        for name in registry.names("harness.tasks")
        for metric in registry.task(name).metrics
        if kind_of(metric) not in simulated and not {metric.name, type(metric).__name__} & set(left_out)
    }
    assert not missing


@pytest.mark.parametrize("scenario", LISTED, ids=lambda one: f"{one.metric.name}, {one.name}")
def test_an_interval_holds_its_value_has_width_and_stays_within_the_range(scenario):
    sizes = (3, scenario.sizes[0])
    rows = list(simulate(replace(scenario, sizes=sizes), 2))
    assert {row.n for row in rows} == {*sizes}


def labelled(pairs, metric, *, confidence=0.5, clusters=None):
    return [
        Score(sample_id=str(i), metric=metric.name, value=confidence, gold=gold, predicted=predicted, cluster=cluster)
        for i, ((gold, predicted), cluster) in enumerate(zip(pairs, clusters or [None] * len(pairs), strict=True))
    ]


def test_a_label_that_no_sample_has_may_still_occur():
    precision = class_report(["rare"])[0]
    found = precision.reduce(labelled([("common", "common")] * 28 + [("common", "rare")] * 2, precision), Random(0))
    assert found.value == 0
    # Of two that are called so none is so: Clopper and Pearson's upper end is 1 - 0.025^(1/2) = 0.84.
    assert 0.3 < found.high < 0.9


def test_a_single_label_has_no_interval():
    assert MACRO_F1.reduce(labelled([("a", "a")] * 9, MACRO_F1), Random(0)).low is None


def test_bins_that_err_as_one_leave_resolution_a_finite_interval():
    metric = Resolution()
    right = [True] * 12 + [False] * 12
    scores = [
        replace(score, value=0.2 + 0.05 * (index % 12))
        for index, score in enumerate(
            labelled(
                [("1", "1" if hit else "0") for hit in right],
                metric,
                clusters=[f"c{index // 12}" for index in range(24)],
            )
        )
    ]
    found = metric.reduce(scores, Random(0))
    assert found.low is not None
    assert 0 <= found.low <= found.value <= found.high <= 0.25


RATES = st.sampled_from([0.0, 0.0, 0.0, 0.25, 1.0, 1.0])
ROWS = st.lists(st.tuples(RATES, st.sampled_from([0.0, 1.0]), st.integers(0, 5)), min_size=2, max_size=40)


def scored(rows, metric, *, clustered):
    return [
        Score(
            sample_id=str(index),
            metric=metric.name,
            value=float(value == 1) if metric is ACC else value,
            weight=weight,
            cluster=f"c{cluster}" if clustered else None,
        )
        for index, (value, weight, cluster) in enumerate(rows)
    ]


@settings(deadline=None, max_examples=60)
@given(ROWS, st.booleans(), st.sampled_from([ACC, NOISY_SCORE, RELATIVE_DROP, TOKEN_PERPLEXITY]))
def test_whatever_the_scores_an_interval_holds_its_value_and_has_width(rows, clustered, metric):
    scores = scored(rows, metric, clustered=clustered)
    try:
        for found in (metric.reduce(scores, Random(0)), metric.bounds(scores, Random(0), 0.95)):
            if found.low is None or found.high is None:
                continue
            assert found.low <= found.value <= found.high
            assert found.low < found.high
            assert metric.lowest is None or found.low >= metric.lowest - 1e-9
            assert metric.highest is None or found.high <= metric.highest + 1e-9
        if metric is not TOKEN_PERPLEXITY:
            change = metric.difference(Pairs(first=tuple(scores), second=tuple(scores)), Random(0), resamples=50)
            assert change.value == 0
            assert change.low is None or change.high is None or change.low < 0 < change.high
    except Undefined:
        pass


def test_a_perfect_sample_is_no_certainty():
    perfect = scored([(1.0, 1.0, 0)] * 200, ACC, clustered=False)
    table, bounds = ACC.reduce(perfect, Random(0)), ACC.bounds(perfect, Random(0), 0.95)
    assert (table.value, table.high, bounds.high) == (1, 1, 1)
    assert bounds.low == pytest.approx(0.05 ** (1 / 200))  # exact: so far off would still give 200 of 200 in 5 %
    unbounded = Mean(name="m", unit="u", direction="higher", source="-")
    assert unbounded.reduce(perfect, Random(0)).low is None


SHORT = {("acc", "share 0.1"), ("acc", "share 0.5"), ("rouge2", "80 % zeros"), ("share", "25 % gained, 5 % lost")}


@pytest.mark.parametrize(
    "scenario", [one for one in LISTED if (one.metric.name, one.name) in SHORT], ids=lambda one: one.name
)
def test_intervals_cover_the_truth_in_short(scenario: Scenario):
    # 250 draws of what 1,000 show to cover 95 % within 2 points: three standard errors more on either side.
    for row in simulate(replace(scenario, sizes=(100,)), 250):
        assert row.coverage >= 0.93 - 3 * 0.0138
        assert max(row.false_low, row.false_high) <= 0.05 + 3 * 0.0138


def test_bounds_of_one_side_are_those_of_the_interval_at_twice_the_level():
    scores = scored([(0.25, 1.0, 0), (1.0, 1.0, 1), (0.0, 1.0, 2)] * 10, NOISY_SCORE, clustered=False)
    assert NOISY_SCORE.bounds(scores, Random(0), 0.95) == NOISY_SCORE.reduce(
        scores, Random(0), statistics.two_sided(0.95)
    )


def test_few_samples_of_many_labels_have_a_macro_f1_without_an_interval():
    names = [str(index % 8) for index in range(100)]
    found = MACRO_F1.reduce(labelled(list(zip(names, names, strict=True)), MACRO_F1), Random(0))
    assert (found.value, found.low, found.stderr) == (1, None, None)
    assert "fewer than 15 samples for each of 8 labels" in found.method
