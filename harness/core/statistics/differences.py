"""Differences of means: of the same samples judged twice, and of samples that have nothing in common."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import special

from harness.core.statistics.clusters import Clusters, cluster_members, is_clustered
from harness.core.statistics.intervals import CONFIDENCE, Difference, Interval, upper_tail
from harness.core.statistics.mcnemar import exact_mcnemar
from harness.core.statistics.means import mean
from harness.core.statistics.tango import tango

__all__ = ["independent_difference", "mean_of_differences", "paired_difference"]


def paired_difference(
    first: Sequence[float],
    second: Sequence[float],
    clusters: Clusters | None = None,
    confidence: float = CONFIDENCE,
) -> Difference:
    """The mean of `second` less that of `first`, of the same n >= 1 samples in the same order.

    Zeros and ones without clusters have Tango's score interval and the exact test of McNemar. Otherwise it is the mean
    of the differences with a t interval and test over n - 1 degrees of freedom; samples that share a cluster have
    a cluster-robust error and clusters - 1 degrees of freedom, which is honest with few clusters too. Where all
    differences are 0 and the values lie in [0, 1], that interval would have no width: each cluster then counts as one
    pair that agrees. Raises `ValueError` for lists of unequal length.
    """
    before, after = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if len(before) != len(after):
        raise ValueError("paired samples must be as many on either side")
    changes = after - before
    n, clustered = len(changes), is_clustered(clusters)
    count = len(cluster_members(n, clusters)) if clustered else n
    plain = mean(changes.tolist(), clusters, confidence)
    found = Difference(
        value=plain.value,
        stderr=plain.stderr,
        low=plain.low,
        high=plain.high,
        p_value=_t_test(plain, count),
        method=plain.method and f"paired {plain.method}",
        n=n,
        cluster_count=count,
    )
    both = np.concatenate([before, after])
    if bool(np.isin(both, [0.0, 1.0]).all()) and not clustered:
        gained, lost = int((changes > 0).sum()), int((changes < 0).sum())
        low, high = tango(gained, lost, n, confidence)
        return replace(found, low=low, high=high, p_value=exact_mcnemar(gained, lost), method="Tango, exact McNemar")
    if not changes.any() and both.min() >= 0 and both.max() <= 1:
        low, high = tango(0, 0, count, confidence)
        return replace(found, low=low, high=high, p_value=1.0, method="Tango, all pairs agree")
    return found


def independent_difference(first: Interval, second: Interval, *, confidence: float = CONFIDENCE) -> Difference | None:
    """The second value less the first, of samples that have nothing in common, with a normal interval.

    None where either has no standard error. `n` and `cluster_count` are not known here, and 0.
    """
    if first.stderr is None or second.stderr is None:
        return None
    return _normal(second.value - first.value, math.hypot(first.stderr, second.stderr), confidence, "unpaired normal")


def mean_of_differences(
    parts: Sequence[Difference], weights: Sequence[float] | None = None, *, confidence: float = CONFIDENCE
) -> Difference | None:
    """The mean of differences of k >= 1 independent tasks, each counting by its weight; alike by default.

    Its interval recovers the parts' variances from their own intervals (Zou and Donner, 2008), so parts without any
    difference still widen it; those intervals must have the given `confidence`. The p value is normal. That of a
    single part is its own. None where any part has no error.
    """
    if len(parts) == 1:
        return parts[0]
    errors = [part.stderr for part in parts if part.stderr is not None]
    if len(errors) < len(parts):
        return None
    counts = [1.0] * len(parts) if weights is None else weights
    shares = [count / math.fsum(counts) for count in counts]
    value = math.fsum(share * part.value for share, part in zip(shares, parts, strict=True))
    stderr = math.hypot(*(share * error for share, error in zip(shares, errors, strict=True)))
    found = _normal(value, stderr, confidence, f"mean of {len(parts)} paired tasks")
    below, above = (
        math.hypot(
            *(
                share * (part.value - end)
                for share, part in zip(shares, parts, strict=True)
                if (end := getattr(part, side)) is not None
            )
        )
        for side in ("low", "high")
    )
    return replace(
        found,
        low=value - below,
        high=value + above,
        n=sum(part.n for part in parts),
        cluster_count=sum(part.cluster_count for part in parts),
    )


def _normal(value: float, stderr: float, confidence: float, method: str) -> Difference:
    half = float(special.ndtri(upper_tail(confidence))) * stderr
    return Difference(
        value=value,
        stderr=stderr,
        low=value - half,
        high=value + half,
        p_value=2 * float(special.ndtr(-abs(value) / stderr)) if stderr else _degenerate(value),
        method=method,
        n=0,
        cluster_count=0,
    )


def _t_test(found: Interval, count: int) -> float | None:
    if found.stderr is None:
        return None
    if found.stderr == 0:
        return _degenerate(found.value)
    return 2 * float(special.stdtr(count - 1, -abs(found.value) / found.stderr))


def _degenerate(value: float) -> float:
    """The p value where all differences are the same."""
    return 1.0 if value == 0 else 0.0
