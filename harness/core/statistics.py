"""Errors of means and of ratios, and intervals; all pure.

Follows Miller, "Adding Error Bars to Evals" (2024): sample (n - 1) standard errors, clustered where samples share
a passage or a template. Intervals are two-sided.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray
from scipy import stats

__all__ = ["CONFIDENCE", "Interval", "bootstrap", "mean", "proportion", "ratio"]

CONFIDENCE = 0.95

Clusters = Sequence[str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A value, its standard error and its interval; `method` names how the interval was made.

    The errors are None where the data hold none: a single sample or a single cluster.
    """

    value: float
    stderr: float | None
    low: float | None
    high: float | None
    method: str | None


def mean(values: Sequence[float], clusters: Clusters | None = None) -> Interval:
    """The mean of n >= 1 values with a t interval over n - 1 degrees of freedom (or clusters - 1)."""
    return ratio(values, [1.0] * len(values), clusters)


def proportion(successes: Sequence[float], clusters: Clusters | None = None) -> Interval:
    """The share of ones among n >= 1 zeros and ones.

    Independent samples get Wilson's score interval (Wilson, 1927), which keeps its coverage near 0 and 1 and
    never has zero width; clustered ones get the t interval of `mean`. The standard error is the sample one in
    both cases.
    """
    interval = mean(successes, clusters)
    if _is_clustered(clusters):
        return interval
    test = stats.binomtest(round(sum(successes)), len(successes))
    score = test.proportion_ci(CONFIDENCE, method="wilson")
    return Interval(
        value=interval.value,
        stderr=interval.stderr,
        low=float(score.low),
        high=float(score.high),
        method="wilson",
    )


def ratio(numerators: Sequence[float], denominators: Sequence[float], clusters: Clusters | None = None) -> Interval:
    """The ratio of two sums over n >= 1 samples, such as nats per token, with its linearised error.

    The error is that of the mean of `(numerator - value * denominator) / mean(denominator)`, the ratio estimator
    of survey sampling (Cochran, 1977); for denominators of 1 it is the usual error of a mean.
    """
    top, bottom = np.asarray(numerators, dtype=float), np.asarray(denominators, dtype=float)
    value = float(top.sum() / bottom.sum())
    residuals = (top - value * bottom) / bottom.mean()
    groups = _sums_by_cluster(residuals, clusters)
    if len(groups) < 2:
        return Interval(value=value, stderr=None, low=None, high=None, method=None)
    count = len(groups)
    stderr = float(np.sqrt((groups**2).sum() * count / (count - 1)) / len(top))
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, count - 1)) * stderr
    method = "t, clustered" if _is_clustered(clusters) else "t"
    return Interval(value=value, stderr=stderr, low=value - half, high=value + half, method=method)


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
    which the statistic is undefined (NaN) are left out.
    """
    value = statistic(np.arange(n))
    members = _members(n, clusters)
    if len(members) < 2:
        return Interval(value=value, stderr=None, low=None, high=None, method=None)
    generator = np.random.default_rng(rng.getrandbits(64))
    draws = np.array(
        [
            statistic(np.concatenate([members[i] for i in generator.integers(len(members), size=len(members))]))
            for _ in range(resamples)
        ]
    )
    draws = draws[~np.isnan(draws)]
    if len(draws) < 2:
        return Interval(value=value, stderr=None, low=None, high=None, method=None)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return Interval(
        value=value,
        stderr=float(draws.std(ddof=1)),
        low=float(low),
        high=float(high),
        method=f"bootstrap, {resamples} resamples",
    )


def _is_clustered(clusters: Clusters | None) -> bool:
    """Whether at least two samples share a cluster; a sample without one stands alone."""
    named = [cluster for cluster in clusters or () if cluster is not None]
    return len(set(named)) < len(named)


def _members(n: int, clusters: Clusters | None) -> list[NDArray[np.intp]]:
    if not _is_clustered(clusters):
        return list(np.arange(n).reshape(n, 1))
    assert clusters is not None
    names = [f"alone:{index}" if name is None else f"shared:{name}" for index, name in enumerate(clusters)]
    _, labels = np.unique(names, return_inverse=True)
    return [np.flatnonzero(labels == label) for label in range(labels.max() + 1)]


def _sums_by_cluster(residuals: NDArray[np.float64], clusters: Clusters | None) -> NDArray[np.float64]:
    return np.array([residuals[members].sum() for members in _members(len(residuals), clusters)])
