"""Intervals by resampling, for statistics that have no formula for their error."""

import math
from dataclasses import replace
from random import Random

import numpy as np
from numpy.typing import NDArray
from scipy import special

from harness.core.statistics.clusters import Clusters, cluster_labels, cluster_members
from harness.core.statistics.intervals import CONFIDENCE, Difference, Interval, upper_tail
from harness.core.statistics.shares import wilson
from harness.core.statistics.sums import Statistic, Sums
from harness.core.text.reasons import Reason

__all__ = ["RESAMPLES", "bootstrap", "paired_bootstrap"]

RESAMPLES = 10_000
"""Draws of a bootstrap that something is decided by."""

_CHUNK = 2_000_000
"""Numbers of one block of resampling weights."""

Draws = NDArray[np.float64]


def bootstrap(
    statistic: Statistic,
    n: int,
    *,
    rng: Random,
    clusters: Clusters | None = None,
    resamples: int = 1000,
    confidence: float = CONFIDENCE,
    lowest: float | None = None,
    highest: float | None = None,
) -> Interval:
    """Bias-corrected bootstrap of a statistic of n >= 1 samples, widened for few of them, as in `paired_bootstrap`.

    `statistic` gets the indices of a resample. Whole clusters are drawn where samples are clustered. Resamples in
    which the statistic is undefined (NaN) are left out and counted in `method`. No end lies beyond `lowest` and
    `highest`, the ends of what the statistic can be. There are no errors where resampling can't show any: the
    value itself is undefined, more than half of the resamples are, or all agree; where both ends are known, samples
    that all agree have the interval of a share instead, as far from either end as the value is, of one sample a
    cluster.
    """
    found = _corrected(statistic, None, n, rng, clusters, resamples, confidence)
    if found.stderr == 0 and lowest is not None and highest is not None:
        return _all_agree(found, lowest, highest, confidence)
    low, high = found.low, found.high
    if low is None or high is None:
        return Interval(value=found.value, stderr=None, low=None, high=None, method=None)
    low = low if lowest is None else max(low, min(lowest, found.value))
    high = high if highest is None else min(high, max(highest, found.value))
    return Interval(value=found.value, stderr=found.stderr, low=low, high=high, method=found.method)


def _all_agree(found: Difference, lowest: float, highest: float, confidence: float) -> Interval:
    span = highest - lowest
    share = min(1.0, max(0.0, (found.value - lowest) / span))
    quantile = float(special.stdtrit(found.cluster_count - 1, upper_tail(confidence)))
    low, high = (lowest + span * end for end in wilson(share, found.cluster_count, quantile))
    return Interval(value=found.value, stderr=None, low=low, high=high, method="wilson, since all samples agree")


def paired_bootstrap(
    first: Statistic,
    second: Statistic,
    n: int,
    *,
    rng: Random,
    clusters: Clusters | None = None,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
) -> Difference:
    """The second statistic less the first, both of the same n >= 1 samples, which are resampled together (Koehn, 2004).

    What is hard for both so doesn't widen the interval. It is the bias-corrected percentile interval (Efron, 1987,
    without acceleration): quantiles are moved by the share of resamples that lie below the value, and widened as t is
    wider than z and a sample scatters less than what it was drawn from (Hesterberg, 2015). The p value is the level
    at which that interval would just reach 0. Resamples in which either is undefined are left out. Errors are None
    where `bootstrap` has none.
    """
    found = _corrected(second, first, n, rng, clusters, resamples, confidence)
    return found if found.low is not None else replace(found, stderr=None)


def _corrected(
    statistic: Statistic,
    less: Statistic | None,
    n: int,
    rng: Random,
    clusters: Clusters | None,
    resamples: int,
    confidence: float,
) -> Difference:
    rows = np.arange(n)
    value = statistic(rows) - (less(rows) if less else 0.0)
    count = len(cluster_members(n, clusters))
    silent = Difference(
        value=value, stderr=None, low=None, high=None, p_value=None, method=None, n=n, cluster_count=count
    )
    if math.isnan(value) or count < 2:
        return silent
    seed = rng.getrandbits(64)
    draws = _draws(statistic, n, seed, clusters, resamples)
    if less is not None:
        draws = draws - _draws(less, n, seed, clusters, resamples)
    draws = draws[~np.isnan(draws)]
    if len(draws) < max(2, resamples / 2):
        return silent
    if np.ptp(draws) <= 1e-12 * max(1.0, abs(value)):
        return replace(silent, stderr=0.0)
    shift = float(special.ndtri(_share_below(draws, value)))
    widened = math.sqrt(count / (count - 1))
    tail = widened * float(special.stdtrit(count - 1, upper_tail(confidence)))
    low, high = np.quantile(draws, special.ndtr([2 * shift - tail, 2 * shift + tail]))
    # The one-sided level at which the corrected interval ends at 0, from either side.
    level = float(special.stdtr(count - 1, (special.ndtri(_share_below(draws, 0.0)) - 2 * shift) / widened))
    return Difference(
        value=value,
        stderr=float(draws.std(ddof=1)),
        low=min(float(low), value),
        high=max(float(high), value),
        p_value=min(1.0, 2 * min(level, 1 - level)),
        method=Reason("bias-corrected bootstrap, {count} resamples", count=_used(draws, resamples)),
        n=n,
        cluster_count=count,
    )


def _share_below(draws: Draws, value: float) -> float:
    """The share of resamples below the value, those equal to it counting half; never 0 or 1."""
    below = (draws < value).sum() + 0.5 * (draws == value).sum()
    return float((below + 0.5) / (len(draws) + 1))


def _used(draws: Draws, resamples: int) -> str:
    return f"{len(draws)} of {resamples}" if len(draws) < resamples else f"{resamples}"


def _draws(statistic: Statistic, n: int, seed: int, clusters: Clusters | None, resamples: int) -> Draws:
    """The statistic on each resample: the same resamples for the same seed, whatever the statistic."""
    generator = np.random.default_rng(seed)
    labels = cluster_labels(n, clusters)
    count = int(labels.max()) + 1
    block = max(1, _CHUNK // count)
    blocks = (generator.integers(count, size=(min(block, resamples - at), count)) for at in range(0, resamples, block))
    if isinstance(statistic, Sums):
        parts = np.column_stack([np.bincount(labels, weights=column, minlength=count) for column in statistic.parts.T])
        return np.concatenate([statistic.of(_weights(drawn) @ parts) for drawn in blocks])
    members = cluster_members(n, clusters)
    clustered = count < n
    return np.array(
        [
            statistic(np.concatenate([members[one] for one in chosen]) if clustered else chosen)
            for drawn in blocks
            for chosen in drawn
        ]
    )


def _weights(drawn: NDArray[np.intp]) -> NDArray[np.float64]:
    """How often each cluster was drawn in each resample, both of shape (resamples, clusters)."""
    resamples, count = drawn.shape
    numbered = drawn + count * np.arange(resamples)[:, None]
    return np.bincount(numbered.ravel(), minlength=resamples * count).reshape(resamples, count).astype(float)
