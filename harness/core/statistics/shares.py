"""Intervals of shares by score and exact methods, for counts that need not be whole."""

import math

from scipy import special

__all__ = ["clopper_pearson", "wilson"]

_RARE = 3
"""Up to so many hits (or misses) the end next to them is that of a Poisson count (Brown, Cai and DasGupta, 2001)."""


def wilson(share: float, count: float, quantile: float) -> tuple[float, float]:
    """The score interval of a share of `count` samples (Wilson, 1927), for a `quantile` of the normal or t
    distribution.

    Near 0 and 1 its inner end misses too often: of 3 hits or fewer (or misses, if those are fewer) it is that of a
    Poisson count (Brown, Cai and DasGupta, 2001, with its level of both tails together).
    """
    squared = quantile**2
    centre = (share + squared / (2 * count)) / (1 + squared / count)
    half = quantile * math.sqrt(share * (1 - share) / count + squared / (4 * count**2)) / (1 + squared / count)
    level = 2 * float(special.ndtr(-quantile))
    if share < 0.5:
        low, high = min(centre - half, _rare(share * count, level) / count), centre + half
    else:
        low, high = centre - half, max(centre + half, 1 - _rare((1 - share) * count, level) / count)
    return (0.0 if share <= 0 else max(0.0, low)), (1.0 if share >= 1 else min(1.0, high))


def _rare(hits: float, level: float) -> float:
    """The mean of a Poisson count that would reach so many hits or more with the chance `level`; infinite for many."""
    if hits <= 0:
        return 0.0
    # Made from a share, three hits may come out as 3.0000000000000004.
    return float(special.gammaincinv(hits, level)) if hits <= _RARE + 1e-9 else math.inf


def clopper_pearson(share: float, count: float, quantile: float) -> tuple[float, float]:
    """The exact interval of a share of `count` samples (Clopper and Pearson, 1934): neither end is ever beyond the
    truth more often than the tail beyond the `quantile` of the normal distribution.
    """
    hits, misses, tail = share * count, (1 - share) * count, float(special.ndtr(-quantile))
    low = float(special.betaincinv(hits, misses + 1, tail)) if hits > 0 else 0.0
    high = float(special.betaincinv(hits + 1, misses, 1 - tail)) if misses > 0 else 1.0
    return low, high
