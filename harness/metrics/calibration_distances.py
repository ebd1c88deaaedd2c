"""How far confidence lies from accuracy over bins, and the accuracies of bins from one another."""

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import numpy as np
from scipy import special
from scipy.optimize import brentq
from typing_extensions import override

from harness.core import statistics
from harness.core.metrics import Undefined
from harness.core.pairing import Pairs
from harness.core.scores import Score
from harness.core.statistics import CONFIDENCE, RESAMPLES, Difference, Interval, upper_tail
from harness.core.statistics.clusters import Clusters, cluster_members, inflation, is_clustered
from harness.metrics.calibration_bins import SMALLEST_BIN, Bins, equal_mass_bins, equal_width_bins
from harness.metrics.confidence import ConfidenceMetric, Values, confidences

__all__ = ["DebiasedECE", "EqualWidthECE", "ExpectedCalibrationError", "Reliability", "Resolution"]

_CHANCE_DRAWS = 1000

_MOST_CORRELATION = 0.9
"""Of the errors of two bins: with 1, which a few clusters can look like, differences between bins would have none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spread:
    """The variance of each bin's accuracy, how they are correlated, and the quantile of an interval's ends.

    Samples of a cluster lie in different bins, so what they share makes bins err together: all alike, by as much as the
    variance of the overall accuracy is larger than without clusters.
    """

    variance: Values
    correlation: float
    quantile: float
    upper: float
    clustered: bool

    @property
    def covariance(self) -> Values:
        """Of the accuracies, of shape (bins, bins)."""
        deviations = np.sqrt(self.variance)
        same = self.correlation * np.outer(deviations, deviations)
        np.fill_diagonal(same, self.variance)
        return np.asarray(same, dtype=float)


def _spread(bins: Bins, right: Values, clusters: Clusters, confidence: float) -> _Spread | None:
    """None where there is a single cluster."""
    groups = len(cluster_members(len(right), clusters))
    if groups < 2:
        return None
    upper, clustered, variance, correlation = upper_tail(confidence), is_clustered(clusters), bins.likely_variance, 0.0
    if clustered:
        raised = inflation(right - bins.accuracy[bins.member], clusters)
        parts = bins.shares * np.sqrt(variance)
        # What the variance of the overall accuracy is at the most, over what it is without correlation.
        most = float(parts.sum() ** 2 / (parts**2).sum())
        correlation = min(_MOST_CORRELATION, (raised - 1) / (most - 1)) if most > 1 else 0.0
        variance = variance * max(1.0, raised / most)
    return _Spread(
        variance=variance,
        correlation=correlation,
        quantile=float(special.stdtrit(groups - 1, upper) if clustered else special.ndtri(upper)),
        upper=upper,
        clustered=clustered,
    )


@dataclass(frozen=True, kw_only=True)
class _Distance(ConfidenceMetric):
    """A distance over bins, which noise alone lifts above 0.

    It does so less the further from 0 the distance is, so that the difference of two is drawn towards 0, and resampling
    both runs together, which sees no bias, would pass what is worse. So a difference is told by both runs' own
    intervals, which allow for it (see `statistics.difference_of_ends`).
    """

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        sure, right = confidences(scores)
        value = self.of(sure, right)
        if math.isnan(value):
            raise Undefined(self.nothing)
        bins = self.bins(sure, right)
        spread = _spread(bins, right, [score.cluster for score in scores], confidence)
        if spread is None:
            return Interval(value=value, stderr=None, low=None, high=None, method=None)
        low, high, stderr, method = self.ends(bins, spread, rng)
        suffix = ", clustered" if spread.clustered else ""
        return Interval(value=value, stderr=stderr, low=min(low, value), high=max(high, value), method=method + suffix)

    @override
    def difference(
        self,
        pairs: Pairs,
        rng: Random,
        confidence: float = CONFIDENCE,
        resamples: int = RESAMPLES,
    ) -> Difference:
        """Of the ends of both runs' intervals."""
        seed = rng.getrandbits(64)
        first, second = (
            self.reduce([score for score in side if score is not None], Random(seed), confidence)
            for side in (pairs.first, pairs.second)
        )
        return statistics.difference_of_ends(first, second, len(pairs), pairs.clusters, confidence)

    def bins(self, confidence: Values, right: Values) -> Bins:
        """How samples are put together."""
        return equal_mass_bins(confidence, right)

    @abstractmethod
    def ends(self, bins: Bins, spread: _Spread, rng: Random) -> tuple[float, float, float, str]:
        """Both ends of the interval, the standard error, and the method."""


@dataclass(frozen=True, kw_only=True)
class _MeanDistance(_Distance):
    """The mean distance of confidence from accuracy.

    The upper end is a normal one above the debiased distance, with the binomial errors of the bins. The lower end is
    found by inverting a test: gaps in proportion to those that are seen, just so large that as much as is seen comes of
    them and of chance in one of 40 samples, no larger than 0 where chance alone does it (consistency resampling;
    Bröcker and Smith, 2007). The plain distance lies near its upper end, or is it, where noise is most of it.
    """

    @override
    def ends(self, bins: Bins, spread: _Spread, rng: Random) -> tuple[float, float, float, str]:
        distances, deviations = np.abs(bins.gaps), np.sqrt(spread.variance)
        seen = float(bins.shares @ distances)
        centre = 2 * seen - float(bins.shares @ _folded_mean(distances, deviations))
        # A mean distance is no less than the distance of the means, which noise does not lift.
        highest = max(centre, abs(float(bins.shares @ bins.gaps)))
        signed = bins.shares * np.sign(bins.gaps)
        stderr = math.sqrt(max(float(signed @ spread.covariance @ signed), float(bins.shares**2 @ spread.variance)))
        low = seen * _share_beyond_chance(bins, seen, spread, np.random.default_rng(rng.getrandbits(64)))
        high = min(1.0, max(0.0, highest + spread.quantile * stderr))
        return low, high, stderr, "normal, debiased; inverted test"


def _share_beyond_chance(bins: Bins, seen: float, spread: _Spread, generator: np.random.Generator) -> float:
    """The share of the gaps, from 0 to 1, that with chance gives the mean distance that is `seen` that rarely."""
    expected = np.clip(bins.confidence, 0.0, 1.0)
    deviations, shape = np.sqrt(spread.variance), (_CHANCE_DRAWS, len(expected))
    drawn = generator.binomial(bins.sizes.astype(int), expected, size=shape) / bins.sizes
    shared = math.sqrt(spread.correlation) * generator.standard_normal((_CHANCE_DRAWS, 1)) * deviations
    # Without any gap, chance is that of the confidence; with the gaps as seen, that of the accuracy.
    without, seen_off = drawn - expected, generator.standard_normal(shape) * deviations
    rare = float(special.ndtr(spread.quantile))

    def excess(share: float) -> float:
        alone = math.sqrt(1 - share) * without + math.sqrt(share) * seen_off
        off = shared + math.sqrt(1 - spread.correlation) * alone
        return float(np.quantile(np.abs(share * bins.gaps + off) @ bins.shares, rare)) - seen

    if excess(0.0) >= 0:
        return 0.0
    return float(brentq(excess, 0.0, 1.0, xtol=1e-4)) if excess(1.0) > 0 else 1.0


@dataclass(frozen=True, kw_only=True)
class _PlainDistance(_MeanDistance):
    """As it is seen, noise and all."""

    @override
    def of(self, confidence: Values, right: Values) -> float:
        bins = self.bins(confidence, right)
        return float(bins.shares @ np.abs(bins.gaps))


@dataclass(frozen=True, kw_only=True)
class ExpectedCalibrationError(_PlainDistance):
    """Mean distance, from 0 to 1, between confidence and accuracy over bins of equal size.

    There are 15 bins, fewer where a bin would hold under 10 samples. Even a perfectly calibrated model is not at 0:
    chance alone moves each bin's accuracy. The debiased form takes that away.
    """

    name: str = "ece"
    unit: str = "probability"
    direction: Any = "lower"
    source: str = "Naeini et al. (2015), with the adaptive bins of Nguyen and O'Connor (2015)"


@dataclass(frozen=True, kw_only=True)
class EqualWidthECE(_PlainDistance):
    """Mean distance, from 0 to 1, between confidence and accuracy over 15 bins of the same width: what papers report.

    A bin holds its upper end. Bins with few samples add chance to it, more than to `ece`.
    """

    name: str = "ece_equal_width"
    unit: str = "probability"
    direction: Any = "lower"
    source: str = "Guo et al. (2017), with 15 bins"

    @override
    def bins(self, confidence: Values, right: Values) -> Bins:
        return equal_width_bins(confidence, right)


@dataclass(frozen=True, kw_only=True)
class DebiasedECE(_MeanDistance):
    """The expected calibration error less what chance adds to it; below 0 by chance where a model is well calibrated.

    Each bin's accuracy is taken to scatter normally with its binomial error, and the mean of the distances under that
    scatter, in closed form (a folded normal), takes the place of resampling.
    """

    name: str = "ece_debiased"
    unit: str = "probability"
    direction: Any = "lower"
    source: str = "Kumar, Liang and Ma (2019), their debiased estimator with the first power"

    @override
    def of(self, confidence: Values, right: Values) -> float:
        bins = self.bins(confidence, right)
        distances = np.abs(bins.gaps)
        return float(bins.shares @ (2 * distances - _folded_mean(distances, np.sqrt(bins.variance))))


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

    @override
    def of(self, confidence: Values, right: Values) -> float:
        bins = self.bins(confidence, right)
        return float(bins.shares @ bins.gaps**2)

    @override
    def ends(self, bins: Bins, spread: _Spread, rng: Random) -> tuple[float, float, float, str]:
        return _squared_ends(bins.gaps, np.diag(bins.shares), spread, _variance(bins, np.clip(bins.confidence, 0, 1)))


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

    @override
    def of(self, confidence: Values, right: Values) -> float:
        bins = self.bins(confidence, right)
        return float(bins.shares @ (bins.accuracy - right.mean()) ** 2) if len(bins.sizes) > 1 else math.nan

    @override
    def ends(self, bins: Bins, spread: _Spread, rng: Random) -> tuple[float, float, float, str]:
        alike = _variance(bins, np.full(len(bins.sizes), bins.shares @ bins.accuracy))
        form = np.diag(bins.shares) - np.outer(bins.shares, bins.shares)
        return _squared_ends(bins.accuracy, form, spread, alike)


def _variance(bins: Bins, accuracy: Values) -> Values:
    """Of each bin's accuracy, if that is the true one."""
    return np.asarray(accuracy * (1 - accuracy) / bins.sizes, dtype=float)


def _moments(noise: Values) -> tuple[float, float]:
    """The scale and the degrees of freedom of the chi-square with the first two moments of a quadratic form."""
    scale = float(np.trace(noise @ noise) / np.trace(noise))
    return scale, float(np.trace(noise) / scale)


def _squared_ends(means: Values, form: Values, spread: _Spread, at_none: Values) -> tuple[float, float, float, str]:
    """The interval of the quadratic form of the bins' true means, with the noise of the seen ones taken out.

    What is seen is taken for a scaled noncentral chi-square with the first two moments that it has without any
    distance (Satterthwaite, 1946), and the noncentrality is inverted at both ends. The lower end allows for the
    variance `at_none` that bins have without any distance, where it is the larger one.
    """
    seen = max(0.0, float(means @ form @ means))
    noise = form @ spread.covariance
    scale, degrees = _moments(noise)
    # What is seen may be less than noise alone would nearly always give; that must not make the upper end 0.
    usual = float(special.chdtri(degrees, 0.5))
    high = scale * _noncentrality(max(usual, seen / scale), degrees, 1 - spread.upper)
    scale, degrees = _moments(form @ replace(spread, variance=np.maximum(spread.variance, at_none)).covariance)
    low = scale * _noncentrality(seen / scale, degrees, spread.upper)
    slopes = 2 * form @ means
    stderr = math.sqrt(float(slopes @ spread.covariance @ slopes) + 2 * float(np.trace(noise @ noise)))
    if not spread.clustered:
        return low, high, stderr, "inverted noncentral chi-square"
    # Errors that bins share stretch the distribution along one direction, which the chi-square knows nothing of.
    centre, reach = seen - float(np.trace(noise)), spread.quantile * stderr
    return (
        max(0.0, min(low, centre - reach)),
        max(high, centre + reach),
        stderr,
        "inverted noncentral chi-square and normal",
    )


def _noncentrality(seen: float, degrees: float, tail: float) -> float:
    """The noncentrality at which so much of the distribution lies below what is seen; 0 where less does at 0."""
    if special.chdtr(degrees, seen) <= tail:
        return 0.0
    return float(special.chndtrinc(seen, degrees, tail))


def _folded_mean(mean: Values, deviation: Values) -> Values:
    """The mean of |X| for X normal with the given mean and deviation."""
    safe = np.where(deviation > 0, deviation, 1.0)
    folded = safe * math.sqrt(2 / math.pi) * np.exp(-(mean**2) / (2 * safe**2)) + mean * special.erf(
        mean / (safe * 2**0.5)
    )
    return np.asarray(np.where(deviation > 0, folded, np.abs(mean)), dtype=float)
