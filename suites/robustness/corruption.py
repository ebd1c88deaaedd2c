"""The error under corruptions of pictures, of which each kind counts alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from harness.core import statistics
from harness.core.metrics import Metric, Undefined
from harness.core.scores import Score
from harness.core.statistics import CONFIDENCE, Interval, Statistic, Sums

__all__ = ["MEAN_CORRUPTION_ERROR", "RELATIVE_CORRUPTION_ERROR", "MeanOverKinds"]

_SOURCE = "Hendrycks and Dietterich, Benchmarking neural network robustness to common corruptions (2019), ICLR"


@dataclass(frozen=True, kw_only=True)
class MeanOverKinds(Metric):
    """The mean over kinds of noise of the mean value under each, however many variants it has.

    Values lie between `lowest` and `highest`. The interval is that of a weighted mean, clustered by sample.
    """

    lowest: float
    highest: float

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        table = _table(scores)
        values, weights = table[:, 0], table[:, 1]
        span = self.highest - self.lowest
        inside = statistics.bounded_ratio(
            (weights * (values - self.lowest) / span).tolist(),
            weights.tolist(),
            [score.cluster for score in scores],
            confidence,
        )
        return _between(inside, self.lowest, span)

    @override
    def resampled(self, scores: Sequence[Score]) -> Statistic:
        """Kinds of which a resample holds nothing are no part of its mean."""
        values = _table(scores)[:, 0]
        kinds = sorted({_kind(score) for score in scores})
        member = np.array([[_kind(score) == kind for kind in kinds] for score in scores], dtype=float)

        def of(sums: NDArray[np.float64]) -> NDArray[np.float64]:
            totals, counts = sums[:, : len(kinds)], sums[:, len(kinds) :]
            with np.errstate(invalid="ignore", divide="ignore"):
                means = np.where(counts > 0, totals / counts, np.nan)
            return np.asarray(np.nanmean(means, axis=1))

        return Sums(parts=np.hstack([member * values[:, None], member]), of=of)


def _kind(score: Score) -> str:
    return score.groups["perturbation"]


def _table(scores: Sequence[Score]) -> NDArray[np.float64]:
    """Value and weight of each score: the weights of a kind sum to 1 over the number of kinds."""
    kinds = [_kind(score) for score in scores]
    counts = {kind: kinds.count(kind) for kind in set(kinds)}
    values = [score.value for score in scores]
    if None in values:
        raise Undefined("a sample has no value")
    weights = [1 / (counts[kind] * len(counts)) for kind in kinds]
    return np.column_stack([np.array(values, dtype=float), np.array(weights)])


def _between(inside: Interval, lowest: float, span: float) -> Interval:
    def moved(value: float | None) -> float | None:
        return None if value is None else lowest + span * value

    return Interval(
        value=lowest + span * inside.value,
        stderr=None if inside.stderr is None else span * inside.stderr,
        low=moved(inside.low),
        high=moved(inside.high),
        method=inside.method,
    )


MEAN_CORRUPTION_ERROR = MeanOverKinds(
    name="mean_corruption_error",
    unit="share",
    direction="lower",
    source=f"{_SOURCE}: the mean over corruptions of the mean error over severities, without a reference model's",
    lowest=0.0,
    highest=1.0,
    meaning="""
    0 to 1: 1 less the score under noise, the mean over kinds of corruption, each of which counts alike. Lower is
    better.

    The paper divides the error under each kind by that of AlexNet on photographs, which answers no questions: there is
    no such reference here. Divide by that of another run under each kind (1 less `noisy_score` by `perturbation`) for
    its mCE relative to that model.
    """,
)

RELATIVE_CORRUPTION_ERROR = MeanOverKinds(
    name="relative_corruption_error",
    unit="share",
    direction="lower",
    source=f"{_SOURCE}: relative corruption error, the error under a corruption less the clean error",
    lowest=-1.0,
    highest=1.0,
    meaning="""
    -1 to 1: the error under noise less that of the same questions without, the mean over kinds of corruption, each of
    which counts alike. Lower is better; 0 for a model that noise doesn't touch, and below 0 noise helps.

    In points of the score, where `relative_drop` is a share of it: a model that is mostly wrong has little to lose.
    """,
)
