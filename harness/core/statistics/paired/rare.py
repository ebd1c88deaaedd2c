"""What a bootstrap can't see: samples of a kind that changes so rarely that few of those drawn did."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from harness.core.statistics.clusters import Clusters, cluster_members
from harness.core.statistics.intervals import Difference, upper_tail
from harness.core.statistics.planning import rule_of_three
from harness.core.statistics.sums import Statistic
from harness.core.text.reasons import Reason, told_together

__all__ = ["FEW", "with_rare_changes"]

FEW = 5
"""Of fewer changed samples than these the bootstrap's interval is too narrow: it can only draw what happened."""


def with_rare_changes(
    found: Difference,
    statistic: Statistic,
    changed: Sequence[bool],
    clusters: Clusters | None,
    confidence: float,
    span: float | None = None,
) -> Difference:
    """A bootstrapped difference, where `changed` says which samples differ between the two at all.

    Where fewer than `FEW` clusters changed, each end lies at least as far from the value as the changes that were not
    seen may reach: of n clusters, a share of `rule_of_three(n)` may change unseen, and one of them moves the value by
    no more than the `statistic` differs in the influence of two clusters; where all have the same, no more than the
    `span` of the statistic, if it has one. The p value is at least that of the permutation test that swaps both
    runs of a sample: with k changed clusters it is no smaller than 2^(1 - k). Without any of this there is no interval.
    """
    members = cluster_members(len(changed), clusters)
    count = sum(any(changed[row] for row in rows) for rows in members)
    smallest = min(1.0, 2.0 ** (1 - count))
    if count >= FEW or len(members) < 2 or np.isnan(found.value):
        return found if found.p_value is None else replace(found, p_value=max(found.p_value, smallest))
    if found.stderr is None and found.value:
        return found
    influence = _influence_range(statistic, members) or span or 0.0
    reach = rule_of_three(len(members), upper_tail(confidence)) * influence
    if not reach:
        return found
    method = found.method or "the same on every resample"
    return replace(
        found,
        stderr=max(found.stderr or 0.0, reach / 2),
        low=min(found.value - reach, found.value if found.low is None else found.low),
        high=max(found.value + reach, found.value if found.high is None else found.high),
        p_value=max(found.p_value or 0.0, smallest),
        method=told_together(
            [method, Reason("widened, since {count} of {all} changed", count=count, all=len(members))]
        ),
    )


def _influence_range(statistic: Statistic, members: Sequence[np.ndarray]) -> float:
    """By how much the value would move if all clusters became like another one: from the jackknife's differences."""
    without = [
        statistic(np.concatenate([*members[:left_out], *members[left_out + 1 :]])) for left_out in range(len(members))
    ]
    known = [value for value in without if not np.isnan(value)]
    return float(np.ptp(known)) * (len(members) - 1) if known else 0.0
