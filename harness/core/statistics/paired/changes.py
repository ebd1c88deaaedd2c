"""What is gained less what is lost, where a few samples of many change."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.core.statistics.clusters import Clusters, is_clustered
from harness.core.statistics.intervals import Difference, Interval, named, p_value_of
from harness.core.statistics.linear import Linear, linear
from harness.core.statistics.means import ShareEnds, lumped_ends, share_ends, skewed_ends
from harness.core.statistics.shares import wilson

__all__ = ["NetGain", "difference_of_gains", "net_gain"]

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Gains, or losses: as a `share` of what there was to gain or lose, which is `scale` times the weights.

    `at_most` so many samples can hold it where each is gained as a whole or not at all; None where parts of one are.
    """

    share: Linear
    scale: float
    at_most: float | None

    def ends(self, confidence: float, ends: ShareEnds) -> tuple[float, float]:
        """How far below and above its value it may lie, in the unit of the change."""
        if not self.scale:
            return 0.0, 0.0
        low, high = (
            lumped_ends(self.share, confidence)
            if self.at_most is None
            else share_ends(self.share, confidence, ends, at_most=self.at_most)
        )
        value = self.share.value
        return self.scale * (value - max(0.0, low)), self.scale * (min(1.0, high) - value)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetGain:
    """The sum of changes over a sum of weights: `whole` with its linearised error, and both its parts."""

    whole: Linear
    gains: _Part
    losses: _Part
    clustered: bool

    def reach(self, confidence: float, ends: ShareEnds = wilson) -> tuple[float, float]:
        """How far below and above its value the net gain may lie, at a two-sided confidence.

        It is put together from the intervals of gains and losses: MOVER with correlated parts (Newcombe, 1998; Zou and
        Donner, 2008). The two are never both 0.
        """
        first, second = self.gains.share, self.losses.share
        correlation = _correlation(first, second)
        gain_below, gain_above = self.gains.ends(confidence, ends)
        loss_below, loss_above = self.losses.ends(confidence, ends)
        return _joined(gain_below, loss_above, correlation), _joined(gain_above, loss_below, correlation)

    def at(self, confidence: float, ends: ShareEnds = wilson) -> Interval:
        """Gains less losses, with the two-sided interval of that confidence."""
        below, above = self.reach(confidence, ends)
        return Interval(
            value=self.whole.value,
            stderr=self.whole.stderr,
            low=self.whole.value - below,
            high=self.whole.value + above,
            method=named("gains and losses apart", clustered=self.clustered),
        )


def net_gain(change: Values, weights: Values, room: Values, clusters: Clusters | None = None) -> NetGain | None:
    """The changes of n >= 1 samples, taken apart; None for a single cluster.

    A change lies between minus its weight (all is lost) and its `room` (all is gained); weights and room are at least
    0, and the weights don't sum to 0. Gains and losses are shares of what there was to gain and to lose: a kind of
    change that none of the samples shows may still be there, as often as the rule of three says.
    """
    whole = linear(change, weights, clusters)
    gains = _part(np.maximum(change, 0), weights, room, clusters)
    losses = _part(np.maximum(-change, 0), weights, weights, clusters)
    if gains is None or losses is None or whole is None:
        return None
    return NetGain(whole=whole, gains=gains, losses=losses, clustered=is_clustered(clusters))


def difference_of_gains(first: NetGain, second: NetGain, confidence: float, *, n: int) -> Difference:
    """The second net gain less the first, of the same n samples in the same clusters.

    The paired errors of both have the t interval, corrected for skewness; the p value is the level at which it would
    just reach 0. Two runs that don't differ in their errors have no width here: what rare changes may do, the caller
    adds (see `with_rare_changes`).
    """
    one, other = first.whole, second.whole
    paired = Linear(
        value=other.value - one.value,
        parts=other.parts - one.parts,
        degrees=min(one.degrees, other.degrees),
        count=min(one.count, other.count),
    )

    def at(confidence: float) -> Interval:
        low, high = skewed_ends(paired, confidence)
        return Interval(
            value=paired.value,
            stderr=paired.stderr,
            low=low,
            high=high,
            method=named("paired t, skewness corrected", clustered=first.clustered),
        )

    found = at(confidence)
    return Difference(
        value=paired.value,
        stderr=found.stderr,
        low=found.low,
        high=found.high,
        p_value=p_value_of(at),
        method=found.method,
        n=n,
        cluster_count=len(one.parts),
    )


def _part(amounts: Values, weights: Values, most: Values, clusters: Clusters | None) -> _Part | None:
    found = linear(amounts, weights, clusters)
    if found is None:
        return None
    scale = float(most.sum() / weights.sum())
    if not scale:
        return _Part(share=found, scale=0.0, at_most=None)
    # Where nothing was gained (or lost), the clusters count that had something to gain (or lose).
    possible = linear(np.zeros(len(most)), most, clusters)
    share = Linear(
        value=found.value / scale,
        parts=found.parts / scale,
        degrees=found.degrees,
        count=possible.count if possible else 1.0,
    )
    whole = bool(((amounts == 0) | (amounts == most)).all())
    return _Part(share=share, scale=scale, at_most=float(np.count_nonzero(most)) if whole else None)


def _correlation(first: Linear, second: Linear) -> float:
    product = first.stderr * second.stderr
    return max(-1.0, min(1.0, float((first.parts * second.parts).sum()) / product)) if product else 0.0


def _joined(first: float, second: float, correlation: float) -> float:
    return math.sqrt(max(0.0, first**2 + second**2 - 2 * correlation * first * second))
