"""The interval of a correlation."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import special

from harness.core.statistics.clusters import Clusters, cluster_members, inflation, is_clustered
from harness.core.statistics.intervals import CONFIDENCE, Interval, upper_tail

__all__ = ["coefficient", "correlation"]

Numbers = NDArray[np.float64]

_LARGEST = 1 - 1e-12
"""Beyond it Fisher's transform is too large for its inverse to come back."""


def coefficient(first: Numbers, second: Numbers, *, of_ranks: bool = False) -> float:
    """The value of `correlation` without its interval: for resamples, which are many."""
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return math.nan
    one, other = _columns(first, second, of_ranks=of_ranks)
    return float((one * other).mean())


def correlation(
    first: Numbers,
    second: Numbers,
    clusters: Clusters | None = None,
    confidence: float = CONFIDENCE,
    *,
    of_ranks: bool = False,
) -> Interval:
    """Pearson's correlation of n pairs of numbers, from -1 to 1, or Spearman's, which is that of their ranks.

    The interval is symmetric on Fisher's scale (1921). The variance there is 1 / (n - 3) for numbers, or that of the
    pairs' influence where it is larger, as it is for long tails, and (1 + r^2 / 2) / (n - 3) for ranks (Bonett and
    Wright, 2000). Clusters raise it by as much as they raise the variance of the influence, with the quantile of t over
    clusters - 1. NaN where all numbers of a side are equal; no errors for fewer than four pairs, or two clusters.
    """
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return Interval(value=math.nan, stderr=None, low=None, high=None, method=None)
    one, other = _columns(first, second, of_ranks=of_ranks)
    value = float((one * other).mean())
    n, groups = len(one), len(cluster_members(len(one), clusters))
    if n < 4 or groups < 2:
        return Interval(value=value, stderr=None, low=None, high=None, method=None)
    influence = one * other - value / 2 * (one**2 + other**2)
    variance = (1 + value**2 / 2) / (n - 3) if of_ranks else 1 / (n - 3)
    rest = 1 - value**2
    if not of_ranks and rest > 0:
        variance = max(variance, float((influence**2).mean()) / (n - 3) / rest**2)
    upper, clustered = upper_tail(confidence), is_clustered(clusters)
    quantile = float(special.stdtrit(groups - 1, upper) if clustered else special.ndtri(upper))
    if clustered:
        variance *= inflation(influence, clusters)
    centre, reach = math.atanh(max(-_LARGEST, min(_LARGEST, value))), quantile * math.sqrt(variance)
    return Interval(
        value=value,
        stderr=rest * math.sqrt(variance),
        low=min(value, math.tanh(centre - reach)),
        high=max(value, math.tanh(centre + reach)),
        method="Fisher's transform" + (", clustered" if clustered else ""),
    )


def _columns(first: Numbers, second: Numbers, *, of_ranks: bool) -> tuple[Numbers, Numbers]:
    """Both sides, or their ranks, with mean 0 and deviation 1."""
    if of_ranks:
        from scipy.stats import rankdata  # late: it takes a second, which listing tasks should not cost

        first, second = rankdata(first), rankdata(second)
    return _standardised(first), _standardised(second)


def _standardised(numbers: Numbers) -> Numbers:
    return np.asarray((numbers - numbers.mean()) / numbers.std(), dtype=float)
