"""The interval of an area under the ROC curve."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import special

from harness.core.statistics.clusters import Clusters, cluster_members, inflation, is_clustered
from harness.core.statistics.intervals import CONFIDENCE, Interval, named, upper_tail

__all__ = ["area_under_roc", "auroc"]

_SHRUNK = 20
"""Of so many samples of the rarer class the variance that they show counts as much as the one that theory expects."""


def area_under_roc(values: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    """The chance that a positive sample has the larger value, ties counting half; NaN without a sample of either class.

    Without the interval of `auroc`: for resamples, which are many.
    """
    if positive.all() or not positive.any():
        return float("nan")
    return float(_placements(values, positive)[positive].mean())


def auroc(
    values: Sequence[float],
    positive: Sequence[bool],
    clusters: Clusters | None = None,
    confidence: float = CONFIDENCE,
) -> Interval:
    """The chance, from 0 to 1, that a positive sample has the larger value, ties counting half; 0.5 is chance.

    The interval holds each area that a score test doesn't reject (method 5 of Newcombe, 2006): the variance is that of
    Hanley and McNeil (1982) at the area that is tested, times how much that of DeLong, DeLong and Clarke-Pearson (1988)
    differs from it at the area seen, shrunk towards once for few samples. So it stays within [0, 1], and a perfect
    order has one too. Clusters widen it as in Obuchowski (1997), with the quantile of t over clusters - 1. NaN without
    a sample of either class; no errors where there is a single cluster.
    """
    found, is_positive = np.asarray(values, dtype=float), np.asarray(positive, dtype=bool)
    first, second = int(is_positive.sum()), int((~is_positive).sum())
    silent = Interval(value=float("nan"), stderr=None, low=None, high=None, method=None)
    if not first or not second:
        return silent
    beaten = _placements(found, is_positive)
    area = float(beaten[is_positive].mean())
    groups = len(cluster_members(len(found), clusters))
    if groups < 2:
        return Interval(value=area, stderr=None, low=None, high=None, method=None)
    shares = np.where(is_positive, (beaten - area) / first, (beaten - area) / second)
    clustered = is_clustered(clusters)
    seen = sum(
        float((shares[side] ** 2).sum()) * count / max(1, count - 1)
        for side, count in ((is_positive, first), (~is_positive, second))
    )
    upper = upper_tail(confidence)
    quantile = float(special.stdtrit(groups - 1, upper) if clustered else special.ndtri(upper))
    expected = _variance(area, first, second)
    factor = _shrunk(seen, expected, min(first, second)) * (inflation(shares, clusters) if clustered else 1.0)
    low, high = _ends(area, factor * quantile**2, first, second)
    # At an area of 0 or 1 no variance is expected: what the interval's width says stands for the error.
    stderr = float(np.sqrt(factor * expected)) or (high - low) / (2 * quantile)
    method = named("Newcombe's score interval", clustered=clustered)
    return Interval(value=area, stderr=stderr, low=low, high=high, method=method)


def _placements(values: NDArray[np.float64], positive: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Of each sample the share of the other class that is on the right side of it, ties counting half."""
    found = np.empty(len(values))
    ranked = np.sort(values[~positive])
    below, up_to = (np.searchsorted(ranked, values[positive], side=side) for side in ("left", "right"))
    found[positive] = (below + up_to) / (2 * len(ranked))
    ranked = np.sort(values[positive])
    below, up_to = (np.searchsorted(ranked, values[~positive], side=side) for side in ("left", "right"))
    found[~positive] = 1 - (below + up_to) / (2 * len(ranked))
    return found


def _spread(area: float, first: int, second: int) -> float:
    """The variance of Hanley and McNeil over area x (1 - area), with both classes of the same size in its middle."""
    middle = (first + second) / 2 - 1
    return (1 + middle * ((1 - area) / (2 - area) + area / (1 + area))) / (first * second)


def _variance(area: float, first: int, second: int) -> float:
    return area * (1 - area) * _spread(area, first, second)


def _shrunk(seen: float, expected: float, rarer: int) -> float:
    """By what the expected variance is to be multiplied; 1 where the sample shows none."""
    if seen <= 0 or expected <= 0:
        return 1.0
    weight = rarer / (rarer + _SHRUNK)
    return weight * seen / expected + 1 - weight


def _ends(area: float, reach: float, first: int, second: int) -> tuple[float, float]:
    """Where the squared distance from the area is `reach` times the variance there."""
    from scipy.optimize import brentq  # late: it takes 40 MB, and few runs need it

    if area < 0.5:
        low, high = _ends(1 - area, reach, first, second)
        return 1 - high, 1 - low

    def excess(end: float) -> float:
        if area == 1:
            # Divided by 1 - end, which is a root of its own.
            return (1 - end) - reach * end * _spread(end, first, second)
        return (area - end) ** 2 - reach * _variance(end, first, second)

    low = float(brentq(excess, 0.0, area))
    return low, 1.0 if area == 1 else float(brentq(excess, area, 1.0))
