"""How much two runs may differ by what each one's own interval allows."""

import math
from dataclasses import replace

from scipy import special

from harness.core.statistics.clusters import Clusters, cluster_members
from harness.core.statistics.intervals import CONFIDENCE, Difference, Interval, upper_tail

__all__ = ["difference_of_ends", "within"]


def difference_of_ends(
    first: Interval, second: Interval, n: int, clusters: Clusters | None = None, confidence: float = CONFIDENCE
) -> Difference:
    """The second of two numbers less the first, both of the same n >= 1 samples, for estimates that are biased.

    Both intervals have that confidence. The difference reaches from the second's lower end less the first's upper one
    to the second's upper end less the first's lower one, whatever the two runs share: the standard error of a
    difference is at most the sum of both; and where a number lies at the end of its range, so that its estimate is
    biased and its interval can't miss there, the other end alone can. What they share makes it no narrower, which is
    its price. The p value is the level at which it would about reach 0. Errors are None where an interval has no ends.
    """
    value, clusters_there = second.value - first.value, len(cluster_members(n, clusters))
    if first.low is None or first.high is None or second.low is None or second.high is None:
        return Difference(
            value=value, stderr=None, low=None, high=None, p_value=None, method=None, n=n, cluster_count=clusters_there
        )
    found = within(value, second.low - first.high, second.high - first.low, n, confidence)
    return replace(found, method="ends of both intervals", cluster_count=clusters_there)


def within(value: float, low: float, high: float, n: int, confidence: float) -> Difference:
    """A difference that is known by its ends, of n independent samples; its other errors are what these imply."""
    quantile = float(special.ndtri(upper_tail(confidence)))
    towards = value - low if value > 0 else high - value
    distance = quantile * abs(value) / towards if towards else math.inf if value else 0.0
    return Difference(
        value=value,
        stderr=(high - low) / (2 * quantile),
        low=low,
        high=high,
        p_value=2 * float(special.ndtr(-distance)),
        method=None,
        n=n,
        cluster_count=n,
    )
