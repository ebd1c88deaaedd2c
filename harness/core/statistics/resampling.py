"""Intervals by resampling, for statistics that have no formula for their error."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random

import numpy as np
from numpy.typing import NDArray

from harness.core.statistics.clusters import Clusters, cluster_members, is_clustered
from harness.core.statistics.intervals import UPPER, Interval

__all__ = ["basic", "bootstrap"]


def bootstrap(
    statistic: Callable[[NDArray[np.intp]], float],
    n: int,
    *,
    rng: Random,
    clusters: Clusters | None = None,
    resamples: int = 1000,
) -> Interval:
    """Percentile bootstrap of a statistic of n >= 1 samples (Efron and Tibshirani, 1993).

    `statistic` gets the indices of a resample. Whole clusters are drawn where samples are clustered. Resamples in
    which the statistic is undefined (NaN) are left out and counted in `method`. There are no errors where
    resampling can't show any: the value itself is undefined, more than half of the resamples are, or all agree.
    """
    value = statistic(np.arange(n))
    silent = Interval(value=value, stderr=None, low=None, high=None, method=None)
    if math.isnan(value) or n < 2:
        return silent
    generator = np.random.default_rng(rng.getrandbits(64))
    draws = np.array([statistic(rows) for rows in _resamples(generator, n, clusters, resamples)])
    draws = draws[~np.isnan(draws)]
    if len(draws) < max(2, resamples / 2) or np.ptp(draws) == 0:
        return silent
    low, high = np.quantile(draws, [1 - UPPER, UPPER])
    used = f"{len(draws)} of {resamples}" if len(draws) < resamples else f"{resamples}"
    return Interval(
        value=value,
        stderr=float(draws.std(ddof=1)),
        low=float(low),
        high=float(high),
        method=f"bootstrap, {used} resamples",
    )


def basic(percentile: Interval, *, low: float, high: float) -> Interval:
    """The basic bootstrap interval made from a percentile one, cut off at the ends of the statistic's range.

    It reflects the resamples at the value (Davison and Hinkley, 1997), for statistics that resampling pushes to one
    side: the largest difference between groups is never below 0 and grows with noise alone.
    """
    if percentile.low is None or percentile.high is None:
        return percentile
    return replace(
        percentile,
        low=max(2 * percentile.value - percentile.high, low),
        high=min(2 * percentile.value - percentile.low, high),
        method=f"basic {percentile.method}",
    )


def _resamples(
    generator: np.random.Generator, n: int, clusters: Clusters | None, resamples: int
) -> Iterator[NDArray[np.intp]]:
    if not is_clustered(clusters):
        for _ in range(resamples):
            yield generator.integers(n, size=n)
        return
    members = cluster_members(n, clusters)
    for _ in range(resamples):
        yield np.concatenate([members[drawn] for drawn in generator.integers(len(members), size=len(members))])
