"""Shares in an error, held against the standard error that each metric itself gives and against leaving samples out."""

from random import Random

import numpy as np
import pytest

from harness.core.metrics import Mean, Metric, PerUnit
from harness.core.scores import Score
from harness.metrics.correlation import PEARSON
from harness.store.values import SampleErrors, pack, sample_errors, unpack
from suites.fairness.pairs import Percentage
from suites.robustness.metrics import RELATIVE_DROP

NATS = {"unit": "-", "direction": "lower", "source": "test"}
MEAN = Mean(name="acc", **NATS)
PERPLEXITY = PerUnit(name="acc", transform="exp", **NATS)
RATIOS = (MEAN, PERPLEXITY, PerUnit(name="acc", transform="bits", **NATS), Percentage(name="acc", **NATS))


def _scores(n: int, names: int) -> list[Score]:
    rng = Random(3)
    return [
        Score(
            sample_id=str(index),
            metric="acc",
            value=rng.random(),
            weight=float(rng.randint(1, 5)),
            cluster=f"text {rng.randrange(names)}" if names else None,
            gold=str(rng.random()),
            predicted=str(rng.random()),
        )
        for index in range(n)
    ]


def _stderr(errors: SampleErrors) -> float:
    sums = np.bincount(errors.clusters, weights=errors.values)
    return float(np.sqrt((sums**2).sum() * len(sums) / (len(sums) - 1)) / len(errors.values))


@pytest.mark.parametrize("names", [0, 7])
@pytest.mark.parametrize(
    "metric", [*RATIOS, RELATIVE_DROP], ids=lambda metric: f"{type(metric).__name__} {metric.unit}"
)
def test_the_shares_give_the_standard_error_of_the_metric(metric: Metric, names: int) -> None:
    scores = _scores(60, names)
    errors = sample_errors(metric, scores)
    assert errors is not None
    assert _stderr(errors) == pytest.approx(metric.reduce(scores, Random(0)).stderr, rel=1e-9)
    again = unpack(errors.samples_sha256, pack(errors))
    assert np.array_equal(again.values, errors.values)
    assert np.array_equal(again.clusters, errors.clusters)


@pytest.mark.parametrize("metric", RATIOS, ids=lambda metric: type(metric).__name__)
def test_a_share_is_what_leaving_the_sample_out_changes(metric: Metric) -> None:
    scores = _scores(4000, 0)
    errors = sample_errors(metric, scores)
    assert errors is not None
    whole = metric.reduce(scores, Random(0)).value
    for index in (0, 1, 2):
        left = metric.reduce([*scores[:index], *scores[index + 1 :]], Random(0)).value
        assert errors.values[index] == pytest.approx((whole - left) * len(scores), rel=0.02)


@pytest.mark.parametrize(
    ("metric", "n"),
    [(PEARSON, 30), (MEAN, 1)],
    ids=["no ratio of sums", "one sample"],
)
def test_where_there_are_no_shares_there_are_none(metric: Metric, n: int) -> None:
    assert sample_errors(metric, _scores(n, 0)) is None
