"""Differences of means: of the same samples judged twice, and of samples that have nothing in common."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import special

from harness.core.statistics.clusters import Clusters, cluster_members, is_clustered
from harness.core.statistics.intervals import CONFIDENCE, Difference, Interval, p_value_of, scaled, upper_tail
from harness.core.statistics.means import skewed_ends
from harness.core.statistics.paired.changes import NetGain, net_gain
from harness.core.statistics.paired.mcnemar import exact_mcnemar
from harness.core.statistics.paired.tango import tango
from harness.core.statistics.parts import mean_of_parts
from harness.core.text.reasons import Reason

__all__ = ["mean_of_differences", "paired_difference"]


def paired_difference(
    first: Sequence[float],
    second: Sequence[float],
    clusters: Clusters | None = None,
    confidence: float = CONFIDENCE,
    *,
    lowest: float | None = None,
    highest: float | None = None,
) -> Difference:
    """The mean of `second` less that of `first`, of the same n >= 1 samples in the same order.

    Zeros and ones without clusters have Tango's score interval and the exact test of McNemar. Otherwise gains and
    losses are taken apart (see `net_gain`), so that a few changes of many samples are believed no more than they
    deserve, and the p value is the level at which that interval would just reach 0. `lowest` and `highest` are the
    ends of what a value can be. Without both of them the interval is that of t, corrected for skewness; where some
    samples don't change at all, each end is the outer one of the two, with the ends of what was seen. Raises
    `ValueError` for lists of unequal length.
    """
    before, after = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if len(before) != len(after):
        raise ValueError("paired samples must be as many on either side")
    both, n, clustered = np.concatenate([before, after]), len(before), is_clustered(clusters)
    difference = Difference(
        value=float((after - before).mean()),
        stderr=None,
        low=None,
        high=None,
        p_value=None,
        method=None,
        n=n,
        cluster_count=len(cluster_members(n, clusters)) if clustered else n,
    )
    zeros_and_ones = bool(np.isin(both, [0.0, 1.0]).all())
    if zeros_and_ones:
        lowest, highest = 0.0, 1.0
    bottom = float(both.min()) if lowest is None else lowest
    span = (float(both.max()) if highest is None else highest) - bottom
    ones = np.ones(n)
    gain = net_gain((after - before) / span, ones, ones, clusters) if span > 0 else None
    if gain is None:
        return difference
    if zeros_and_ones and not clustered:
        gained, lost = int((after > before).sum()), int((after < before).sum())
        told = replace(difference, stderr=gain.whole.stderr, p_value=exact_mcnemar(gained, lost))
        low, high = tango(gained, lost, n, confidence)
        return replace(told, low=low, high=high, method="Tango, exact McNemar")
    bounded, all_change = lowest is not None and highest is not None, bool((before != after).all())

    def at(confidence: float) -> Interval:
        return scaled(_ends(gain, confidence, bounded=bounded, all_change=all_change), span)

    found = at(confidence)
    return replace(
        difference,
        stderr=found.stderr,
        low=found.low,
        high=found.high,
        p_value=p_value_of(at),
        method=Reason("paired, {method}", method=found.method or ""),
    )


def _ends(gain: NetGain, confidence: float, *, bounded: bool, all_change: bool) -> Interval:
    """The interval of what is gained, that of t too where values have no bounds: see `paired_difference`."""
    found = gain.at(confidence)
    if bounded or not gain.whole.shows_error:
        return found
    low, high = skewed_ends(gain.whole, confidence)
    if all_change:
        return replace(found, low=low, high=high, method="t, skewness corrected")
    return replace(found, low=min(found.low or 0.0, low), high=max(found.high or 0.0, high))


def mean_of_differences(
    parts: Sequence[Difference], weights: Sequence[float] | None = None, *, confidence: float = CONFIDENCE
) -> Difference | None:
    """The mean of differences of k >= 1 independent tasks, each counting by its weight; alike by default.

    Its interval recovers the parts' variances from their own intervals (Zou and Donner, 2008), so parts without any
    difference still widen it; those intervals must have the given `confidence`. The p value is normal, of the error on
    the side towards 0. That of a single part is its own. None where any part has no error.
    """
    if len(parts) == 1:
        return parts[0]
    mean = mean_of_parts(parts, weights)
    if mean.stderr is None or mean.low is None or mean.high is None:
        return None
    # The side towards 0 says how sure it is that there is a difference.
    width = mean.value - mean.low if mean.value > 0 else mean.high - mean.value
    error = width / float(special.ndtri(upper_tail(confidence)))
    return Difference(
        value=mean.value,
        stderr=mean.stderr,
        low=mean.low,
        high=mean.high,
        p_value=2 * float(special.ndtr(-abs(mean.value) / error)) if error else None,
        method=Reason("mean of {count} paired tasks", count=len(parts)),
        n=sum(part.n for part in parts),
        cluster_count=sum(part.cluster_count for part in parts),
    )
