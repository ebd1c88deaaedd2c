"""Errors of means, of shares and of ratios.

Follows Miller, "Adding Error Bars to Evals" (2024): sample (n - 1) standard errors, clustered where samples share
a passage or a template. Intervals are two-sided, of the given confidence.
"""

import math
from collections.abc import Sequence

import numpy as np
from scipy import special

from harness.core.statistics.clusters import Clusters, cluster_members, is_clustered, sums_by_cluster
from harness.core.statistics.intervals import CONFIDENCE, Interval, upper_tail

__all__ = ["bounded_mean", "mean", "mean_or_share", "proportion", "ratio"]


def mean(values: Sequence[float], clusters: Clusters | None = None, confidence: float = CONFIDENCE) -> Interval:
    """The mean of n >= 1 values with a t interval over n - 1 degrees of freedom (or clusters - 1)."""
    return ratio(values, [1.0] * len(values), clusters, confidence)


def proportion(
    successes: Sequence[float], clusters: Clusters | None = None, confidence: float = CONFIDENCE
) -> Interval:
    """The share of ones among n >= 1 zeros and ones, with Wilson's score interval (Wilson, 1927).

    The interval stays within [0, 1] and never has zero width. Clustered samples count as the number of independent
    ones that would have the same standard error, at most n, and the quantile is that of t over clusters - 1 degrees of
    freedom (Korn and Graubard, 1998); where all samples agree, each cluster counts as one. The standard error
    is the one of `mean`. Raises `ValueError` for values other than 0 and 1.
    """
    if not set(successes) <= {0, 1}:
        raise ValueError("a proportion is made of zeros and ones")
    return bounded_mean(successes, clusters, confidence)


def bounded_mean(values: Sequence[float], clusters: Clusters | None = None, confidence: float = CONFIDENCE) -> Interval:
    """The mean of n >= 1 values in [0, 1], with the interval of `proportion`.

    Values between 0 and 1 count as the number of zeros and ones that would have the same standard error, with the
    quantile of t. Raises `ValueError` for a value outside.
    """
    if not all(0 <= value <= 1 for value in values):
        raise ValueError("the values must lie in [0, 1]")
    plain = mean(values, clusters)
    count, share, upper = float(len(values)), plain.value, upper_tail(confidence)
    quantile = float(special.ndtri(upper))
    clustered, binary = is_clustered(clusters), set(values) <= {0, 1}
    if clustered and plain.stderr is None:
        return plain
    if clustered or not binary:
        groups = len(cluster_members(len(values), clusters)) if clustered else len(values)
        quantile = float(special.stdtrit(groups - 1, upper)) if groups > 1 else quantile
        variance = share * (1 - share)
        if variance == 0:
            count = float(groups)
        elif plain.stderr:
            worth = variance / plain.stderr**2
            count = min(count, worth) if binary else worth
    low, high = _wilson(share, count, quantile)
    method = "wilson, clustered" if clustered else "wilson"
    return Interval(value=share, stderr=plain.stderr, low=low, high=high, method=method)


def mean_or_share(
    values: Sequence[float], clusters: Clusters | None = None, confidence: float = CONFIDENCE
) -> Interval:
    """The mean of n >= 1 values: as `bounded_mean` where all lie in [0, 1], else as `mean`."""
    kind = bounded_mean if all(0 <= value <= 1 for value in values) else mean
    return kind(values, clusters, confidence)


def _wilson(share: float, count: float, quantile: float) -> tuple[float, float]:
    squared = quantile**2
    centre = (share + squared / (2 * count)) / (1 + squared / count)
    half = quantile * math.sqrt(share * (1 - share) / count + squared / (4 * count**2)) / (1 + squared / count)
    return (0.0 if share == 0 else centre - half), (1.0 if share == 1 else centre + half)


def ratio(
    numerators: Sequence[float],
    denominators: Sequence[float],
    clusters: Clusters | None = None,
    confidence: float = CONFIDENCE,
) -> Interval:
    """The ratio of two sums over n >= 1 samples, such as nats per token, with its linearised error.

    The error is that of the mean of `(numerator - value * denominator) / mean(denominator)`, the ratio estimator
    of survey sampling (Cochran, 1977); for denominators of 1 it is the usual error of a mean. The denominators
    must not sum to 0.
    """
    top, bottom = np.asarray(numerators, dtype=float), np.asarray(denominators, dtype=float)
    value = float(top.sum() / bottom.sum())
    residuals = (top - value * bottom) / bottom.mean()
    groups = sums_by_cluster(residuals, clusters)
    if len(groups) < 2:
        return Interval(value=value, stderr=None, low=None, high=None, method=None)
    count = len(groups)
    stderr = float(np.sqrt((groups**2).sum() * count / (count - 1)) / len(top))
    half = float(special.stdtrit(count - 1, upper_tail(confidence))) * stderr
    method = "t, clustered" if is_clustered(clusters) else "t"
    return Interval(value=value, stderr=stderr, low=value - half, high=value + half, method=method)
