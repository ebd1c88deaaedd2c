"""How well numbers that a model gives agree with those that people gave."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from harness.core.metrics import Mean, Metric, Undefined
from harness.core.scores import Score
from harness.core.statistics import CONFIDENCE, Interval, Statistic
from harness.core.statistics.correlations import coefficient, correlation

__all__ = ["MAE", "PEARSON", "SPEARMAN", "Correlation"]

Numbers = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Correlation(Metric):
    """The correlation of gold and predicted numbers, or of their ranks.

    The numbers are a score's `gold` and `predicted`, as texts that Python reads as the same numbers again.
    """

    of_ranks: bool

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        gold, predicted = _numbers(scores)
        clusters = [score.cluster for score in scores]
        found = correlation(gold, predicted, clusters, confidence, of_ranks=self.of_ranks)
        if math.isnan(found.value):
            raise Undefined("all gold numbers, or all predicted ones, are equal")
        return found

    @override
    def resampled(self, scores: Sequence[Score]) -> Statistic:
        gold, predicted = _numbers(scores)
        return lambda rows: coefficient(gold[rows], predicted[rows], of_ranks=self.of_ranks)


def _numbers(scores: Sequence[Score]) -> tuple[Numbers, Numbers]:
    pairs = [(score.gold, score.predicted) for score in scores]
    if any(number is None for pair in pairs for number in pair):
        raise Undefined("a sample has no number")
    gold, predicted = np.array(pairs, dtype=np.str_).astype(np.float64).T
    return gold, predicted


PEARSON = Correlation(
    name="pearson",
    unit="r",
    direction="higher",
    source="Pearson (1895)",
    of_ranks=False,
    meaning="In [-1, 1]: how nearly the numbers lie on a rising line.",
)

SPEARMAN = Correlation(
    name="spearman",
    unit="rho",
    direction="higher",
    source="Spearman (1904): Pearson's correlation of ranks, equal numbers with their mean rank",
    of_ranks=True,
    meaning="In [-1, 1]: how nearly the numbers are in the same order.",
)

MAE = Mean(
    name="mae",
    unit="of the scale",
    direction="lower",
    source="mean absolute error, as in scikit-learn (Pedregosa et al., 2011)",
    lowest=0.0,
    meaning="From 0 up, in the unit of the gold numbers: by how much the model is off.",
)
