"""Errors, intervals, paired differences and tests; all pure, one noun a file."""

from harness.core.statistics.bounds import Standing, standing, two_sided
from harness.core.statistics.clusters import cluster_count
from harness.core.statistics.holm import holm
from harness.core.statistics.intervals import CONFIDENCE, UPPER, Difference, Interval, p_value_of, scaled, upper_tail
from harness.core.statistics.linear import Linear, linear
from harness.core.statistics.means import (
    ShareEnds,
    bounded_mean,
    bounded_ratio,
    exact_proportion,
    mean,
    proportion,
    ratio,
)
from harness.core.statistics.mover import pairwise_differences, pairwise_ratios, product_ends, weighted_sum
from harness.core.statistics.paired.changes import NetGain, difference_of_gains, net_gain
from harness.core.statistics.paired.differences import mean_of_differences, paired_difference
from harness.core.statistics.paired.ends import difference_of_ends
from harness.core.statistics.paired.extremes import change_of_largest, change_of_smallest
from harness.core.statistics.paired.mcnemar import exact_mcnemar
from harness.core.statistics.paired.rare import with_rare_changes
from harness.core.statistics.paired.tango import tango
from harness.core.statistics.parts import mean_of_parts
from harness.core.statistics.permutation import largest_sums, rejected_at, shuffled_means, testable
from harness.core.statistics.planning import (
    POWER,
    design_effect,
    more_samples,
    rule_of_three,
    samples_for_margin,
    told_distance,
)
from harness.core.statistics.resampling import RESAMPLES, bootstrap, paired_bootstrap
from harness.core.statistics.shares import clopper_pearson, wilson
from harness.core.statistics.simultaneous import folded_quantile, range_quantile, shared_level
from harness.core.statistics.sums import Statistic, Sums, mean_of, ratio_of

__all__ = [
    "CONFIDENCE",
    "POWER",
    "RESAMPLES",
    "UPPER",
    "Difference",
    "Interval",
    "Linear",
    "NetGain",
    "ShareEnds",
    "Standing",
    "Statistic",
    "Sums",
    "bootstrap",
    "bounded_mean",
    "bounded_ratio",
    "change_of_largest",
    "change_of_smallest",
    "clopper_pearson",
    "cluster_count",
    "design_effect",
    "difference_of_ends",
    "difference_of_gains",
    "exact_mcnemar",
    "exact_proportion",
    "folded_quantile",
    "holm",
    "largest_sums",
    "linear",
    "mean",
    "mean_of",
    "mean_of_differences",
    "mean_of_parts",
    "more_samples",
    "net_gain",
    "p_value_of",
    "paired_bootstrap",
    "paired_difference",
    "pairwise_differences",
    "pairwise_ratios",
    "product_ends",
    "proportion",
    "range_quantile",
    "ratio",
    "ratio_of",
    "rejected_at",
    "rule_of_three",
    "samples_for_margin",
    "scaled",
    "shared_level",
    "shuffled_means",
    "standing",
    "tango",
    "testable",
    "told_distance",
    "two_sided",
    "upper_tail",
    "weighted_sum",
    "wilson",
    "with_rare_changes",
]
