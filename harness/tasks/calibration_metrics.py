"""Metrics of confidence: does a model that says 80 % turn out right in 80 of 100 cases?

Each reads the probability that the model gave its own choice, and whether that was right; `BRIER` and `NLL` read those
of all choices.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import numpy as np
from scipy.special import erf

from harness.core import statistics
from harness.core.metrics import Mean, Metric, Proportion
from harness.core.scores import Score
from harness.core.statistics import CONFIDENCE, Interval
from harness.tasks.confidence import (
    AreaUnderRiskCoverage,
    ConfidenceAUROC,
    ConfidenceMetric,
    RiskAtCoverage,
    Temperature,
    Values,
    confidences,
    mean_of_ties,
)

__all__ = [
    "ACCURACY",
    "BRIER",
    "CALIBRATION_METRICS",
    "CONFIDENCE_BIN",
    "NLL",
    "OVERCONFIDENCE",
    "RISKS",
    "DebiasedECE",
    "EqualWidthECE",
    "ExpectedCalibrationError",
    "Reliability",
    "Resolution",
    "Uncertainty",
    "equal_mass_bins",
]

CONFIDENCE_BIN = "confidence"
"""The attribute that groups samples for the reliability diagram: ten bins of the same width."""

MOST_BINS = 15
SMALLEST_BIN = 10
_CHANCE_DRAWS = 400


BRIER = Mean(
    name="brier",
    unit="squared probability",
    direction="lower",
    source="Brier (1950), over all choices",
    lowest=0.0,
)
"""Squared distance between the probabilities of the choices and the truth (1 for the right one), summed over choices.

From 0 to 2; a model that gives each of k choices the same has 1 - 1/k.
"""

NLL = Mean(
    name="nll",
    unit="nats a sample",
    direction="lower",
    source="negative log-likelihood of the right choice among the choices (logarithmic score of Good, 1952)",
    lowest=0.0,
)
"""Minus the natural logarithm of the probability that the model gives the right choice among the choices.

From 0 up; ln k for a model that gives each of k choices the same. A single sure mistake costs much.
"""

OVERCONFIDENCE = Mean(
    name="overconfidence",
    unit="probability",
    target=0.0,
    source="mean confidence less accuracy, as in Guo et al. (2017)",
    by=(CONFIDENCE_BIN,),
    smallest_group=5,
)
"""Mean probability of the model's choice less the share of right ones, from -1 to 1: above 0 it is too sure of itself.

By bins of confidence it is the reliability diagram's distance from the diagonal.
"""

ACCURACY = Proportion(
    name="acc",
    unit="share",
    direction="higher",
    source="share of samples whose likeliest choice is right; by confidence, the reliability diagram of "
    "DeGroot and Fienberg (1983)",
    by=(CONFIDENCE_BIN,),
    smallest_group=5,
)
"""Share of samples, in [0, 1], whose likeliest choice is right: what confidence is compared with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bins:
    """Samples by confidence, cut into bins of as equal a size as can be: three arrays of one value a bin."""

    sizes: Values
    confidence: Values
    accuracy: Values

    @property
    def variance(self) -> Values:
        """Of the accuracy of each bin, by its binomial error; 0 where all or none are right."""
        return self.accuracy * (1 - self.accuracy) / np.maximum(self.sizes - 1, 1)

    @property
    def shares(self) -> Values:
        """Of all samples."""
        return np.asarray(self.sizes / self.sizes.sum(), dtype=float)

    @property
    def gaps(self) -> Values:
        """Mean confidence less accuracy."""
        return self.confidence - self.accuracy


def equal_mass_bins(confidence: Values, right: Values) -> Bins:
    """`MOST_BINS` bins, or fewer, so that none holds fewer than `SMALLEST_BIN` samples (one bin at the least)."""
    count = len(confidence)
    bins = max(1, min(MOST_BINS, count // SMALLEST_BIN))
    # Equal confidences have no order: where they reach into several bins, each gets their mean accuracy.
    order = np.argsort(confidence, kind="stable")
    edges = np.arange(bins + 1) * count // bins
    sizes = np.diff(edges).astype(float)
    ordered = confidence[order]
    return Bins(
        sizes=sizes,
        confidence=np.add.reduceat(ordered, edges[:-1]) / sizes,
        accuracy=np.add.reduceat(mean_of_ties(ordered, right[order]), edges[:-1]) / sizes,
    )


@dataclass(frozen=True, kw_only=True)
class _Distance(ConfidenceMetric):
    """One that noise alone lifts above 0, in the sample and again in each resample.

    The interval is therefore reflected, and reaches down to 0 wherever a model whose true value is 0 would come as high
    as this one in at least one of 40 samples (consistency resampling; Bröcker and Smith, 2007).
    """

    def chance(self, confidence: Values, right: Values, generator: np.random.Generator) -> Values:  # noqa: ARG002
        """Which choices would be right were the true value 0: here, each as often as its confidence says."""
        return np.asarray(generator.random(len(confidence)) < confidence, dtype=float)

    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        """See `Metric.reduce`."""
        return self._down_to_chance(
            statistics.basic(super().reduce(scores, rng, confidence), low=0.0, high=1.0), scores, rng, confidence
        )

    def _down_to_chance(self, found: Interval, scores: Sequence[Score], rng: Random, level: float) -> Interval:
        if found.low is None or found.low <= 0:
            return found
        confidence, right = confidences(scores)
        generator = np.random.default_rng(rng.getrandbits(64))
        draws = [self.of(confidence, self.chance(confidence, right, generator)) for _ in range(_CHANCE_DRAWS)]
        return replace(found, low=0.0) if found.value <= np.quantile(draws, statistics.upper_tail(level)) else found


@dataclass(frozen=True, kw_only=True)
class ExpectedCalibrationError(_Distance):
    """Mean distance, from 0 to 1, between confidence and accuracy over bins of equal size.

    There are 15 bins, fewer where a bin would hold under 10 samples. Even a perfectly calibrated model is not at 0:
    chance alone moves each bin's accuracy. The debiased form takes that away.
    """

    name: str = "ece"
    unit: str = "probability"
    direction: Any = "lower"
    source: str = "Naeini et al. (2015), with the adaptive bins of Nguyen and O'Connor (2015)"

    def of(self, confidence: Values, right: Values) -> float:
        """See `ConfidenceMetric.of`."""
        bins = equal_mass_bins(confidence, right)
        return float(bins.shares @ np.abs(bins.gaps))


@dataclass(frozen=True, kw_only=True)
class EqualWidthECE(_Distance):
    """Mean distance, from 0 to 1, between confidence and accuracy over 15 bins of the same width: what papers report.

    A bin holds its upper end. Bins with few samples add chance to it, more than to `ece`.
    """

    name: str = "ece_equal_width"
    unit: str = "probability"
    direction: Any = "lower"
    source: str = "Guo et al. (2017), with 15 bins"

    def of(self, confidence: Values, right: Values) -> float:
        """See `ConfidenceMetric.of`."""
        bins = np.maximum(np.ceil(confidence * MOST_BINS).astype(int), 1) - 1
        gaps = np.bincount(bins, weights=confidence - right)
        return float(np.abs(gaps).sum() / len(confidence))


@dataclass(frozen=True, kw_only=True)
class DebiasedECE(_Distance):
    """The expected calibration error less what chance adds to it; below 0 by chance where a model is well calibrated.

    Each bin's accuracy is taken to scatter normally with its binomial error, and the mean of the distances under that
    scatter, in closed form (a folded normal), takes the place of resampling.
    """

    name: str = "ece_debiased"
    unit: str = "probability"
    direction: Any = "lower"
    source: str = "Kumar, Liang and Ma (2019), their debiased estimator with the first power"

    def of(self, confidence: Values, right: Values) -> float:
        """See `ConfidenceMetric.of`."""
        bins = equal_mass_bins(confidence, right)
        distances = np.abs(bins.gaps)
        return float(bins.shares @ (2 * distances - _folded_mean(distances, np.sqrt(bins.variance))))

    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        """See `Metric.reduce`.

        Resamples scatter around the plain error of the sample, which is what they are drawn from, so their deviations
        from that, turned round, make the interval.
        """
        found = ConfidenceMetric.reduce(self, scores, rng, confidence)
        if found.low is None or found.high is None:
            return found
        centre = found.value + ExpectedCalibrationError().of(*confidences(scores))
        turned = replace(
            found,
            low=min(centre - found.high, found.value),
            high=max(centre - found.low, found.value),
            method=f"basic {found.method}",
        )
        return self._down_to_chance(turned, scores, rng, confidence)


@dataclass(frozen=True, kw_only=True)
class Reliability(_Distance):
    """Mean squared distance between confidence and accuracy over the bins of `ece`; 0 is best.

    Part of the Brier score of the choice itself: reliability - resolution + uncertainty, but for what confidences
    differ inside a bin.
    """

    name: str = "brier_reliability"
    unit: str = "probability squared"
    direction: Any = "lower"
    source: str = "Murphy (1973)"

    def of(self, confidence: Values, right: Values) -> float:
        """See `ConfidenceMetric.of`."""
        bins = equal_mass_bins(confidence, right)
        return float(bins.shares @ bins.gaps**2)


@dataclass(frozen=True, kw_only=True)
class Resolution(_Distance):
    """How far the accuracies of the bins lie apart, as a mean square; more is better.

    0 says that confidence tells nothing about which choices are right. Noise alone raises it.
    """

    nothing: str = f"takes at least two bins of {SMALLEST_BIN} samples"
    name: str = "brier_resolution"
    unit: str = "probability squared"
    direction: Any = "higher"
    source: str = "Murphy (1973)"

    def of(self, confidence: Values, right: Values) -> float:
        """See `ConfidenceMetric.of`."""
        bins = equal_mass_bins(confidence, right)
        return float(bins.shares @ (bins.accuracy - right.mean()) ** 2) if len(bins.sizes) > 1 else math.nan

    def chance(self, confidence: Values, right: Values, generator: np.random.Generator) -> Values:  # noqa: ARG002
        """See `_Distance.chance`: here, whatever the confidence."""
        return generator.permutation(right)


@dataclass(frozen=True, kw_only=True)
class Uncertainty(ConfidenceMetric):
    """Variance of being right, accuracy x (1 - accuracy), at most 0.25: a part of the Brier score that confidence can't
    change. It is lowest for a model that is nearly always right, or nearly always wrong.
    """

    name: str = "brier_uncertainty"
    unit: str = "probability squared"
    direction: Any = "lower"
    source: str = "Murphy (1973)"

    def of(self, confidence: Values, right: Values) -> float:  # noqa: ARG002
        """See `ConfidenceMetric.of`."""
        return float(right.mean() * (1 - right.mean()))


def _folded_mean(mean: Values, deviation: Values) -> Values:
    """The mean of |X| for X normal with the given mean and deviation."""
    safe = np.where(deviation > 0, deviation, 1.0)
    folded = safe * math.sqrt(2 / math.pi) * np.exp(-(mean**2) / (2 * safe**2)) + mean * erf(mean / (safe * 2**0.5))
    return np.asarray(np.where(deviation > 0, folded, np.abs(mean)), dtype=float)


RISKS: tuple[Metric, ...] = (
    RiskAtCoverage(name="risk_at_coverage_50", coverage=0.5),
    RiskAtCoverage(name="risk_at_coverage_80", coverage=0.8),
)

CALIBRATION_METRICS: tuple[Metric, ...] = (
    ACCURACY,
    OVERCONFIDENCE,
    ExpectedCalibrationError(),
    EqualWidthECE(),
    DebiasedECE(),
    BRIER,
    Reliability(),
    Resolution(),
    Uncertainty(),
    NLL,
    ConfidenceAUROC(),
    AreaUnderRiskCoverage(),
    *RISKS,
    Temperature(),
)
