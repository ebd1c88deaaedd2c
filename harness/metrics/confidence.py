"""Metrics of whether confidence tells right choices from wrong ones, and the temperature that would mend it.

They read the probability that the model gave its own choice, and whether that was right; the temperature reads those of
all choices.
"""

import json
import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from typing_extensions import override

from harness.core import statistics
from harness.core.metrics import Metric, Undefined
from harness.core.scores import Score
from harness.core.statistics import CONFIDENCE, Interval, Statistic
from harness.core.statistics.auroc import area_under_roc, auroc

__all__ = [
    "AreaUnderRiskCoverage",
    "ConfidenceAUROC",
    "ConfidenceMetric",
    "Overconfidence",
    "RiskAtCoverage",
    "Temperature",
    "Uncertainty",
    "Values",
    "best_temperature",
    "confidences",
    "mean_of_ties",
    "risks",
]

_SMALLEST_SCALE, _LARGEST_SCALE = 0.01, 100.0

Values = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class ConfidenceMetric(Metric):
    """A statistic of confidences and of whether the choices were right, with a seeded bootstrap interval.

    A score's `value` is the probability of the model's choice; the choice is right where `predicted` is `gold`.
    `nothing` is the reason where the statistic is undefined.
    """

    nothing: str = "undefined where every choice is right, or every one wrong"

    @abstractmethod
    def of(self, confidence: Values, right: Values) -> float:
        """The value; NaN where undefined."""

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        return _defined(
            statistics.bootstrap(
                self.resampled(scores), len(scores), rng=rng, clusters=_clusters(scores), confidence=confidence
            ),
            self.nothing,
        )

    @override
    def resampled(self, scores: Sequence[Score]) -> Statistic:
        confidence, right = confidences(scores)
        return lambda rows: self.of(confidence[rows], right[rows])


@dataclass(frozen=True, kw_only=True)
class ConfidenceAUROC(ConfidenceMetric):
    """How well confidence tells right choices from wrong ones: the chance that a right one has more of it.

    From 0 to 1; 0.5 is chance, ties count half.
    """

    name: str = "confidence_auroc"
    chance: float | Literal["choices", "indifference"] | None = field(default=0.5, compare=False)
    unit: str = "probability"
    direction: Any = "higher"
    source: str = "Hendrycks and Gimpel (2017); the area under the ROC curve of Hanley and McNeil (1982)"

    @override
    def of(self, confidence: Values, right: Values) -> float:
        return area_under_roc(confidence, right == 1)

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        sure, right = confidences(scores)
        return _defined(auroc(sure.tolist(), (right == 1).tolist(), _clusters(scores), confidence), self.nothing)


@dataclass(frozen=True, kw_only=True)
class AreaUnderRiskCoverage(ConfidenceMetric):
    """The share of wrong choices among the most confident ones, averaged over how many of them are taken; 0 is best.

    It falls with accuracy and with a better order of confidences; a model without any order has its plain error rate.
    Equal confidences count as their mean.
    """

    name: str = "aurc"
    unit: str = "share of errors"
    direction: Any = "lower"
    source: str = "Geifman and El-Yaniv (2017); Geifman, Uziel and El-Yaniv (2019)"

    @override
    def of(self, confidence: Values, right: Values) -> float:
        return float(risks(confidence, right).mean())

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        """Where every choice is right, or every one wrong, the area is the error rate."""
        right = confidences(scores)[1]
        if np.ptp(right) == 0:
            return statistics.proportion((1 - right).tolist(), _clusters(scores), confidence)
        return super().reduce(scores, rng, confidence)


@dataclass(frozen=True, kw_only=True)
class RiskAtCoverage(ConfidenceMetric):
    """The share of wrong choices among so many per cent of the samples, those with the most confidence; 0 is best.

    What is left of the errors where the other samples are handed to people: a point of the risk-coverage curve, whose
    end, at a coverage of 100 %, is the plain error rate. Equal confidences count as their mean.
    """

    coverage: float
    unit: str = "share of errors"
    direction: Any = "lower"
    source: str = "selective risk of Geifman and El-Yaniv (2017)"

    @override
    def of(self, confidence: Values, right: Values) -> float:
        return float(risks(confidence, right)[self._taken(confidence) - 1])

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        """The interval is that of a share of the samples that are taken."""
        sure, right = confidences(scores)
        order, wrong = _surest_first(sure, right)
        taken, clusters = self._taken(sure), _clusters(scores)
        return statistics.bounded_mean(wrong[:taken].tolist(), [clusters[index] for index in order[:taken]], confidence)

    def _taken(self, confidence: Values) -> int:
        return math.ceil(round(self.coverage * len(confidence), 9))


def _surest_first(confidence: Values, right: Values) -> tuple[NDArray[np.intp], Values]:
    """The samples by falling confidence, and how wrong each is, equal confidences sharing their mean."""
    order = np.argsort(-confidence, kind="stable")
    return order, mean_of_ties(-confidence[order], 1 - right[order])


def risks(confidence: Values, right: Values) -> Values:
    """The share of wrong choices among the 1, 2, ... most confident of at least one sample."""
    wrong = _surest_first(confidence, right)[1]
    return np.asarray(np.cumsum(wrong) / np.arange(1, len(wrong) + 1), dtype=float)


@dataclass(frozen=True, kw_only=True)
class Uncertainty(ConfidenceMetric):
    """Variance of being right, accuracy x (1 - accuracy), at most 0.25: a part of the Brier score that confidence can't
    change. It is lowest for a model that is nearly always right, or nearly always wrong.

    The interval is what the score interval of the accuracy amounts to.
    """

    name: str = "brier_uncertainty"
    unit: str = "probability squared"
    direction: Any = "lower"
    source: str = "Murphy (1973)"

    @override
    def of(self, confidence: Values, right: Values) -> float:
        return float(right.mean() * (1 - right.mean()))

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        right = confidences(scores)[1]
        return self._of_share(right, statistics.proportion(right.tolist(), _clusters(scores), confidence))

    @override
    def bounds(self, scores: Sequence[Score], rng: Random, confidence: float) -> Interval:
        """What the exact bounds of the accuracy amount to."""
        right, both = confidences(scores)[1], statistics.two_sided(confidence)
        return self._of_share(right, statistics.exact_proportion(right.tolist(), _clusters(scores), both))

    def _of_share(self, right: Values, share: Interval) -> Interval:
        value = self.of(right, right)
        if share.low is None or share.high is None:
            return replace(share, value=value)
        ends = [end * (1 - end) for end in (share.low, share.high)]
        stderr = None if share.stderr is None else abs(1 - 2 * share.value) * share.stderr
        high = 0.25 if share.low <= 0.5 <= share.high else max(ends)
        return replace(share, value=value, stderr=stderr, low=min(ends), high=high)


@dataclass(frozen=True, kw_only=True)
class Overconfidence(Metric):
    """The mean confidence less the share of right choices.

    A score's `value` is that difference for one sample; the choice is right where `predicted` is `gold`. The interval
    is that of the share, with the error of the differences, turned round and moved by the confidence: where all of a
    few choices are right it is as wide as theirs.
    """

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        differences, right = confidences(scores)
        sure = float((differences + right).mean())
        found = statistics.mean(differences.tolist(), _clusters(scores), confidence)
        share = statistics.proportion(right.tolist(), _clusters(scores), confidence)
        if share.low is None or share.high is None:
            return found
        low, high = min(sure - share.high, found.value), max(sure - share.low, found.value)
        return replace(found, low=low, high=high, method=share.method)

    @override
    def resampled(self, scores: Sequence[Score]) -> Statistic:
        return statistics.mean_of(confidences(scores)[0])


@dataclass(frozen=True, kw_only=True)
class Temperature(Metric):
    """What the log-probabilities are to be divided by so that their mean negative log-likelihood is least.

    Above 1 the model is too sure of itself, below 1 not sure enough. Absent beyond 100 and below 1/100: then the
    right choices are hardly likelier than chance, or nearly always the likeliest. Found on the samples it is of, so it
    mends these a little better than others. A score's `predicted` holds the log-probabilities as JSON, `gold` the index
    of the right one.
    """

    name: str = "temperature"
    unit: str = "factor"
    target: float | None = 1.0
    source: str = "Guo et al. (2017), Platt scaling with one parameter"

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        listed = [json.loads(score.predicted or "[]") for score in scores]
        gold = np.array([int(score.gold or 0) for score in scores])
        table = np.full((len(listed), max(map(len, listed))), -np.inf)
        for row, values in zip(table, listed, strict=True):
            row[: len(values)] = values
        return _defined(
            statistics.bootstrap(
                lambda rows: best_temperature(table[rows], gold[rows]),
                len(listed),
                rng=rng,
                clusters=_clusters(scores),
                confidence=confidence,
            ),
            "no temperature from 1/100 to 100 is best: right choices are hardly likelier than chance, or always best",
        )


def best_temperature(log_probabilities: Values, gold: NDArray[np.intp]) -> float:
    """The temperature of least mean negative log-likelihood; NaN where it isn't between 1/100 and 100.

    `log_probabilities` has the shape (samples, choices), -inf where a sample has fewer choices. The likelihood is
    concave in 1 / temperature, so the zero of its slope is the only optimum.
    """
    there = np.isfinite(log_probabilities).astype(float)
    # Shifted by the best of each sample, which leaves the softmax as it is and keeps every exponential below 1.
    shifted = log_probabilities - log_probabilities.max(axis=1, keepdims=True)
    values = np.where(there, shifted, 0.0)
    right = values[np.arange(len(values)), gold].mean()

    def slope(scale: float) -> float:
        weights = np.exp(values * scale) * there
        return float(((weights * values).sum(axis=1) / weights.sum(axis=1)).mean() - right)

    upper = 1.0
    while slope(upper) <= 0:
        upper *= 4
        if upper > _LARGEST_SCALE:
            return math.nan
    if slope(_SMALLEST_SCALE) >= 0:
        return math.nan
    return 1 / float(brentq(slope, _SMALLEST_SCALE, upper, xtol=1e-12, rtol=1e-9))


def mean_of_ties(ordered: Values, values: Values) -> Values:
    """The values, each replaced by the mean over the samples whose (sorted) confidence is the same."""
    differs = ordered[1:] != ordered[:-1]
    if differs.all():
        return values
    starts = np.flatnonzero(np.concatenate([[True], differs]))
    sizes = np.diff(np.append(starts, len(values)))
    return np.repeat(np.add.reduceat(values, starts) / sizes, sizes)


def confidences(scores: Sequence[Score]) -> tuple[Values, Values]:
    """The confidence of each choice, and 1.0 where it is right, else 0.0."""
    confidence = np.array([score.value for score in scores], dtype=float)
    return confidence, np.array([score.predicted == score.gold for score in scores], dtype=float)


def _clusters(scores: Sequence[Score]) -> list[str | None]:
    return [score.cluster for score in scores]


def _defined(interval: Interval, reason: str) -> Interval:
    if math.isnan(interval.value):
        raise Undefined(reason)
    return interval
