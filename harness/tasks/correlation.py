"""How well numbers that a model gives agree with those that people gave."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from harness.core import statistics
from harness.core.metrics import Mean, Metric, Undefined
from harness.core.scores import Score
from harness.core.statistics import CONFIDENCE, Interval, Statistic

__all__ = ["MAE", "PEARSON", "SPEARMAN", "Correlation"]

Numbers = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Correlation(Metric):
    """A statistic of gold and predicted numbers, with a seeded bootstrap interval.

    The numbers are a score's `gold` and `predicted`, as texts that Python reads as the same numbers again.
    """

    statistic: Callable[[Numbers, Numbers], float]

    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        """See `Metric.reduce`."""
        clusters = [score.cluster for score in scores]
        interval = statistics.bootstrap(
            self.resampled(scores), len(scores), rng=rng, clusters=clusters, confidence=confidence
        )
        if math.isnan(interval.value):
            raise Undefined("all gold numbers, or all predicted ones, are equal")
        return interval

    def resampled(self, scores: Sequence[Score]) -> Statistic:
        """See `Metric.resampled`."""
        pairs = [(score.gold, score.predicted) for score in scores]
        if any(number is None for pair in pairs for number in pair):
            raise Undefined("a sample has no number")
        gold, predicted = np.array(pairs, dtype=np.str_).astype(np.float64).T

        def resampled(rows: NDArray[np.intp]) -> float:
            first, second = gold[rows], predicted[rows]
            return math.nan if np.ptp(first) == 0 or np.ptp(second) == 0 else self.statistic(first, second)

        return resampled


def _pearson(gold: Numbers, predicted: Numbers) -> float:
    return float(np.corrcoef(gold, predicted)[0, 1])


def _spearman(gold: Numbers, predicted: Numbers) -> float:
    # scipy.stats takes a second to import, which listing tasks should not cost.
    from scipy.stats import rankdata

    return _pearson(rankdata(gold), rankdata(predicted))


PEARSON = Correlation(name="pearson", unit="r", direction="higher", source="Pearson (1895)", statistic=_pearson)
"""In [-1, 1]: how nearly the numbers lie on a rising line."""

SPEARMAN = Correlation(
    name="spearman",
    unit="rho",
    direction="higher",
    source="Spearman (1904): Pearson's correlation of ranks, equal numbers with their mean rank",
    statistic=_spearman,
)
"""In [-1, 1]: how nearly the numbers are in the same order."""

MAE = Mean(
    name="mae",
    unit="of the scale",
    direction="lower",
    source="mean absolute error, as in scikit-learn (Pedregosa et al., 2011)",
)
"""From 0 up, in the unit of the gold numbers: by how much the model is off."""
