"""Ratios of sums: nats per token and their like, tokens written for each token of the references."""

from collections.abc import Sequence

import numpy as np

from benchmarks.coverage.scenario import Generator, PairScenario, Scenario, scores_of, shared_normal
from harness.core.metrics import Metric
from harness.core.scores import Score
from harness.metrics.standard import BITS_PER_BYTE, TOKEN_PERPLEXITY
from harness.metrics.texts import LengthRatio

MEAN_TOKENS = 40.0


def _texts(
    metric: Metric, generator: Generator, n: int, clustered: bool, per_token: float, columns: int = 1
) -> list[list[Score]]:
    """Texts of unequal length, whose rates are log-normal about their mean and alike within a cluster."""
    tokens = 1 + generator.negative_binomial(2, 2 / (MEAN_TOKENS + 1), n).astype(float)
    shared = shared_normal(generator, n, clustered)[:, 0]
    found = []
    for _ in range(columns):
        own = shared_normal(generator, n, clustered)[:, 0]
        rates = per_token * np.exp(0.4 * (0.8 * shared + 0.6 * own) - 0.08)
        found.append(scores_of(metric, rates * tokens, clustered, tokens))
    return found


def _ratio(metric: Metric, per_token: float, truth: float) -> Scenario:
    def draw(generator: Generator, n: int, clustered: bool) -> Sequence[Score]:
        return _texts(metric, generator, n, clustered, per_token)[0]

    return Scenario(metric=metric, name="texts of unequal length", draw=draw, truth=truth)


def _same_texts(metric: Metric, per_token: float) -> PairScenario:
    def draw(generator: Generator, n: int, clustered: bool) -> tuple[Sequence[Score], Sequence[Score]]:
        first, second = _texts(metric, generator, n, clustered, per_token, 2)
        return first, second

    return PairScenario(metric=metric, name="the same texts twice", draw=draw, truth=0.0)


SCENARIOS = (
    _ratio(TOKEN_PERPLEXITY, 3.0, float(np.exp(3.0))),
    _ratio(BITS_PER_BYTE, 0.8, 0.8 / float(np.log(2))),
    _ratio(LengthRatio(), 1.1, 1.1),
    _same_texts(TOKEN_PERPLEXITY, 3.0),
)
