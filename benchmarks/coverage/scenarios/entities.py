"""Entities found in sentences, several labels a text, and the temperature of log-probabilities."""

import json
from collections.abc import Sequence

import numpy as np
from scipy.special import log_softmax, ndtr, softmax

from benchmarks.coverage.scenario import Generator, Scenario, cluster_names, scores_of, shared_normal
from harness.core.scores import Score
from harness.metrics.confidence import Temperature
from harness.metrics.labels import label_set, label_set_metrics
from harness.tasks.tagging import entity_metrics

_PRECISION, _RECALL, _F1 = entity_metrics([])
_MICRO_F1, _MACRO_F1, _ = label_set_metrics(["a", "b", "c"])
_RARE = "hardly an entity is missed: no end can lie within the truth"


def _recall(truth: float, edge: str = "") -> Scenario:
    """Sentences of 0 to 4 entities, each found as often as that."""

    def draw(generator: Generator, n: int, clustered: bool) -> Sequence[Score]:
        wanted = generator.integers(0, 5, n)
        hard = ndtr(shared_normal(generator, n, clustered, columns=4))
        found = ((hard < truth) & (np.arange(4) < wanted[:, None])).sum(axis=1)
        return scores_of(_RECALL, found.astype(float), clustered, wanted.astype(float))

    return Scenario(metric=_RECALL, name=f"{truth:g} found", draw=draw, truth=truth, edge=edge)


def _entity_f1() -> Scenario:
    """Four of five entities found, and one in five of those that are given is none."""

    def draw(generator: Generator, n: int, clustered: bool) -> Sequence[Score]:
        wanted = generator.integers(0, 5, n)
        hard = ndtr(shared_normal(generator, n, clustered, columns=4))
        right = ((hard < 0.8) & (np.arange(4) < wanted[:, None])).sum(axis=1)
        given = right + generator.binomial(right, 0.25)
        return scores_of(_F1, 2.0 * right, clustered, (wanted + given).astype(float))

    return Scenario(metric=_F1, name="0.8 found", draw=draw, truth=2 * 0.8 / (1 + 0.8 * 1.25))


def _micro_f1() -> Scenario:
    """Three labels, each on two texts of five, and said wrongly once in five."""

    def draw(generator: Generator, n: int, clustered: bool) -> Sequence[Score]:
        gold = generator.random((n, 3)) < 0.4
        wrong = ndtr(shared_normal(generator, n, clustered, columns=3)) < 0.2
        names = np.array(["a", "b", "c"])
        return [
            Score(
                sample_id=str(index),
                metric=_MICRO_F1.name,
                gold=label_set(names[there].tolist()),
                predicted=label_set(names[there ^ off].tolist()),
                cluster=cluster,
            )
            for index, (there, off, cluster) in enumerate(zip(gold, wrong, cluster_names(n, clustered), strict=True))
        ]

    # Of all decisions 0.32 are right positives, 0.4 are gold and 0.44 said.
    return Scenario(metric=_MICRO_F1, name="one in five wrong", draw=draw, truth=0.64 / 0.84, draws=300)


def _temperature() -> Scenario:
    """Log-probabilities twice as sharp as those that the right choices are drawn from."""
    metric = Temperature()

    def draw(generator: Generator, n: int, clustered: bool) -> Sequence[Score]:
        logits = 1.5 * shared_normal(generator, n, clustered, columns=4)
        table = log_softmax(2 * logits, axis=1)
        ends = np.cumsum(softmax(logits, axis=1), axis=1)
        gold = np.minimum((generator.random((n, 1)) > ends).sum(axis=1), 3)
        return [
            Score(sample_id=str(i), metric=metric.name, gold=str(g), predicted=json.dumps(row), cluster=cluster)
            for i, (g, row, cluster) in enumerate(
                zip(gold.tolist(), table.tolist(), cluster_names(n, clustered), strict=True)
            )
        ]

    return Scenario(metric=metric, name="twice too sharp", draw=draw, truth=2.0, sizes=(100, 400), draws=60)


SCENARIOS = (_recall(0.5), _recall(0.97, _RARE), _entity_f1(), _micro_f1(), _temperature())
