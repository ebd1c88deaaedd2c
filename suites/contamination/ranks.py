"""How what was published ranks among alternatives that are as good to whoever never saw it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

import numpy as np
from typing_extensions import override

from harness.core import statistics
from harness.core.metrics import Metric
from harness.core.scores import Score
from harness.core.statistics import CONFIDENCE, Interval, Statistic
from harness.core.text.reasons import Reason

__all__ = ["MeanRank", "rank_p_value", "share_below"]


def share_below(published: float, alternatives: Sequence[float]) -> float:
    """The share of the alternatives that lie below what was published; a tie doesn't."""
    return sum(one < published for one in alternatives) / len(alternatives)


def rank_p_value(total: int, count: int, alternatives: int) -> float:
    """How likely the ranks of `count` samples sum to `total` or more, each being uniform on 0 to `alternatives`.

    Exact, by convolution. Where alternatives tie with what was published it is an upper bound.
    """
    one = np.full(alternatives + 1, 1 / (alternatives + 1))
    mass = np.ones(1)
    for _ in range(count):
        mass = np.convolve(mass, one)
    return min(1.0, float(mass[total:].sum()))


@dataclass(frozen=True, kw_only=True)
class MeanRank(Metric):
    """The mean share of `alternatives` that are less likely than what was published, with the exact p value of chance.

    Each value is a multiple of `1 / alternatives`. If the published text and its alternatives are exchangeable to the
    model, each rank is equally likely, and the mean is 0.5 but for chance. The p value is one-sided: it says how likely
    so high a mean is then.
    """

    alternatives: int
    lowest: float | None = 0.0
    highest: float | None = 1.0

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        values = [score.value or 0.0 for score in scores]
        found = statistics.bounded_mean(values, [score.cluster for score in scores], confidence)
        total = round(sum(values) * self.alternatives)
        p_value = rank_p_value(total, len(values), self.alternatives)
        said = Reason(
            "{method}; p = {p_value} by the exact distribution of ranks",
            method=found.method or "none",
            p_value=f"{p_value:.3g}",
        )
        return replace(found, p_value=p_value, method=said)

    @override
    def resampled(self, scores: Sequence[Score]) -> Statistic:
        return statistics.mean_of(np.array([score.value for score in scores], dtype=float))
