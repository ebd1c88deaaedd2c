"""Errors of means, of shares and of ratios.

Follows Miller, "Adding Error Bars to Evals" (2024): sample (n - 1) standard errors, clustered where samples share
a passage or a template. Intervals are two-sided, of the given confidence.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from scipy import special

from harness.core.statistics.clusters import Clusters, is_clustered
from harness.core.statistics.intervals import CONFIDENCE, Interval, named, scaled, upper_tail
from harness.core.statistics.linear import Linear, linear
from harness.core.statistics.shares import clopper_pearson, wilson

__all__ = [
    "bounded_mean",
    "bounded_ratio",
    "exact_proportion",
    "lumped_ends",
    "mean",
    "proportion",
    "ratio",
    "share_ends",
    "skewed_ends",
]

_ROUNDING = 1e-9
"""By so much a value may lie beyond the ends of its range: a correlation is 1.0000000000000002 at times."""

ShareEnds = Callable[[float, float, float], tuple[float, float]]
"""Ends of the interval of a share, from share, count and quantile."""


def mean(
    values: Sequence[float],
    clusters: Clusters | None = None,
    confidence: float = CONFIDENCE,
    *,
    lowest: float | None = None,
    highest: float | None = None,
) -> Interval:
    """The mean of n >= 1 values, with the interval of `ratio`; between known ends with that of `bounded_mean`.

    `lowest` and `highest` are the ends of what a value can be, None for an end that there isn't.
    """
    if lowest is not None and highest is not None:
        inside = bounded_mean([(value - lowest) / (highest - lowest) for value in values], clusters, confidence)
        return _moved(scaled(inside, highest - lowest), lowest)
    return ratio(values, [1.0] * len(values), clusters, confidence, lowest=lowest, highest=highest)


def proportion(
    successes: Sequence[float], clusters: Clusters | None = None, confidence: float = CONFIDENCE
) -> Interval:
    """The share of ones among n >= 1 zeros and ones, with Wilson's score interval (see `wilson`).

    The interval stays within [0, 1] and never has zero width. Clustered samples count as the number of independent
    ones that would have the same standard error, at most n, and the quantile is that of t (Korn and Graubard, 1998;
    degrees of freedom as in `linear`); where all samples agree, each cluster counts as one. Raises `ValueError`
    for values other than 0 and 1.
    """
    return _proportion(successes, clusters, confidence, wilson, "wilson")


def exact_proportion(
    successes: Sequence[float], clusters: Clusters | None = None, confidence: float = CONFIDENCE
) -> Interval:
    """As `proportion`, with the ends of Clopper and Pearson (1934), neither of which errs more often than it says.

    What a decision hangs on a single end of; that of Wilson errs up to three times as often near 0 and 1.
    """
    return _proportion(successes, clusters, confidence, clopper_pearson, "exact")


def _proportion(
    successes: Sequence[float], clusters: Clusters | None, confidence: float, ends: ShareEnds, method: str
) -> Interval:
    if not set(successes) <= {0, 1}:
        raise ValueError("a proportion is made of zeros and ones")
    found = linear(successes, [1.0] * len(successes), clusters)
    clustered, n = is_clustered(clusters), len(successes)
    share = math.fsum(successes) / n
    if found is None and clustered:
        return Interval(value=share, stderr=None, low=None, high=None, method=None)
    if found is None or not clustered:
        low, high = ends(share, n, float(special.ndtri(upper_tail(confidence))))
    else:
        low, high = share_ends(found, confidence, ends, at_most=n)
    stderr = found.stderr if found else None
    return Interval(value=share, stderr=stderr, low=low, high=high, method=named(method, clustered=clustered))


def bounded_mean(values: Sequence[float], clusters: Clusters | None = None, confidence: float = CONFIDENCE) -> Interval:
    """The mean of n >= 1 values in [0, 1]; zeros and ones have the interval of `proportion`.

    Others count as the number of zeros and ones that would have the same standard error, with the quantile of t. That
    allows for what a sample of rare or lumped values can't show; what it can, the skewness, is allowed for by the
    interval of `ratio`: each end is the outer one of the two. It stays within [0, 1] and never has zero width. Raises
    `ValueError` for a value outside.
    """
    if not all(-_ROUNDING <= value <= 1 + _ROUNDING for value in values):
        raise ValueError("the values must lie in [0, 1]")
    values = [min(1.0, max(0.0, value)) for value in values]
    if set(values) <= {0, 1}:
        return proportion(values, clusters, confidence)
    found = linear(values, [1.0] * len(values), clusters)
    return _alone(values, clusters, confidence) if found is None else _bounded(found, clusters, confidence)


def bounded_ratio(
    numerators: Sequence[float],
    denominators: Sequence[float],
    clusters: Clusters | None = None,
    confidence: float = CONFIDENCE,
) -> Interval:
    """The ratio of two sums over n >= 1 samples, of numerators that are from 0 to their denominators: found entities
    over all, say. The denominators must not sum to 0.

    The interval is that of `bounded_mean`, with the error of `ratio`; none for a single cluster.
    """
    found = linear(numerators, denominators, clusters)
    if found is None:
        value = math.fsum(numerators) / math.fsum(denominators)
        return Interval(value=value, stderr=None, low=None, high=None, method=None)
    return _bounded(found, clusters, confidence)


def _bounded(found: Linear, clusters: Clusters | None, confidence: float) -> Interval:
    clustered = is_clustered(clusters)
    ends = lumped_ends(found, confidence)
    method = "wilson and skewness-corrected t" if found.shows_error else "wilson"
    return Interval(
        value=found.value,
        stderr=found.stderr,
        low=max(0.0, min(ends[0], found.value)),
        high=min(1.0, max(ends[1], found.value)),
        method=named(method, clustered=clustered),
    )


def _alone(values: Sequence[float], clusters: Clusters | None, confidence: float) -> Interval:
    """A single cluster shows no error; a single value in [0, 1] counts as one sample."""
    share = math.fsum(values) / len(values)
    if is_clustered(clusters):
        return Interval(value=share, stderr=None, low=None, high=None, method=None)
    low, high = wilson(share, 1, float(special.ndtri(upper_tail(confidence))))
    return Interval(value=share, stderr=None, low=low, high=high, method="wilson")


def share_ends(
    found: Linear, confidence: float, ends: ShareEnds = wilson, *, at_most: float = math.inf
) -> tuple[float, float]:
    """The ends for a share with that error: of as many independent samples as would have it, `at_most` so many.

    A share without an error, such as one of none, is of one sample a cluster.
    """
    share = min(1.0, max(0.0, found.value))
    quantile = float(special.stdtrit(found.degrees, upper_tail(confidence)))
    variance = share * (1 - share)
    worth = min(at_most, variance / found.stderr**2) if found.shows_error and variance > 0 else found.count
    if ends is wilson:
        return wilson(share, worth, quantile)
    normal = float(special.ndtri(upper_tail(confidence)))
    # An exact end has its own quantile, so that few degrees of freedom count as fewer samples.
    return ends(share, worth * (normal / quantile) ** 2, normal)


def lumped_ends(found: Linear, confidence: float) -> tuple[float, float]:
    """The ends for a mean of values in [0, 1] that are no shares: see `bounded_mean`. Not cut off."""
    low, high = share_ends(found, confidence)
    if not found.shows_error:
        return low, high
    others = skewed_ends(found, confidence)
    return min(low, others[0]), max(high, others[1])


def ratio(
    numerators: Sequence[float],
    denominators: Sequence[float],
    clusters: Clusters | None = None,
    confidence: float = CONFIDENCE,
    *,
    lowest: float | None = None,
    highest: float | None = None,
) -> Interval:
    """The ratio of two sums over n >= 1 samples, such as nats per token, with its linearised error (see `linear`).

    The interval is that of t, corrected for skewness (Hall, 1992: the cubic transformation) and cut off at `lowest` and
    `highest`, where there are such ends. The denominators must be at least 0 and not sum to 0. There is no
    interval where the data show no error: a single cluster, or all residuals 0.
    """
    found = linear(numerators, denominators, clusters)
    if found is None or not found.shows_error:
        value = float(np.sum(numerators) / np.sum(denominators)) if found is None else found.value
        return Interval(value=value, stderr=None, low=None, high=None, method=None)
    low, high = skewed_ends(found, confidence)
    if lowest is not None:
        low = max(low, min(lowest, found.value))
    if highest is not None:
        high = min(high, max(highest, found.value))
    method = named("t, skewness corrected", clustered=is_clustered(clusters))
    return Interval(value=found.value, stderr=found.stderr, low=low, high=high, method=method)


def skewed_ends(found: Linear, confidence: float) -> tuple[float, float]:
    """The ends of the t interval, corrected for skewness (Hall, 1992); neither is on the wrong side of the value."""
    quantile = float(special.stdtrit(found.degrees, upper_tail(confidence)))
    skewness = found.skewness

    def studentised(transformed: float) -> float:
        """The inverse of Hall's transformation of a studentised mean, which is nearly t distributed."""
        third = skewness / 3
        moved = transformed - skewness / 6
        return float(np.cbrt(1 + 3 * third * moved) - 1) / third if abs(third) > 1e-9 else moved

    below, above = max(studentised(quantile), 0.0), min(studentised(-quantile), 0.0)
    return found.value - below * found.stderr, found.value - above * found.stderr


def _moved(found: Interval, by: float) -> Interval:
    def moved(value: float | None) -> float | None:
        return None if value is None else value + by

    value, low, high = found.value + by, moved(found.low), moved(found.high)
    return Interval(value=value, stderr=found.stderr, low=low, high=high, method=found.method)
