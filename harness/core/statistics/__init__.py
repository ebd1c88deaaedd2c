"""Errors, intervals, paired differences and tests; all pure, one noun a file."""

from harness.core.statistics.bounds import Standing, standing, two_sided
from harness.core.statistics.differences import independent_difference, mean_of_differences, paired_difference
from harness.core.statistics.extremes import change_of_largest, change_of_smallest
from harness.core.statistics.holm import holm
from harness.core.statistics.intervals import CONFIDENCE, UPPER, Difference, Interval, scaled, upper_tail
from harness.core.statistics.mcnemar import exact_mcnemar
from harness.core.statistics.means import bounded_mean, mean, mean_or_share, proportion, ratio
from harness.core.statistics.mover import pairwise_differences, pairwise_ratios, product_ends, weighted_sum
from harness.core.statistics.parts import mean_of_parts
from harness.core.statistics.permutation import largest_sums, rejected_at, shuffled_means, testable
from harness.core.statistics.planning import POWER, design_effect, more_samples, rule_of_three, samples_for_margin
from harness.core.statistics.rare import with_rare_changes
from harness.core.statistics.resampling import RESAMPLES, basic, bootstrap, paired_bootstrap
from harness.core.statistics.simultaneous import folded_quantile, range_quantile, shared_level
from harness.core.statistics.sums import Statistic, Sums, mean_of, ratio_of
from harness.core.statistics.tango import tango

__all__ = [
    "CONFIDENCE",
    "POWER",
    "RESAMPLES",
    "UPPER",
    "Difference",
    "Interval",
    "Standing",
    "Statistic",
    "Sums",
    "basic",
    "bootstrap",
    "bounded_mean",
    "change_of_largest",
    "change_of_smallest",
    "design_effect",
    "exact_mcnemar",
    "folded_quantile",
    "holm",
    "independent_difference",
    "largest_sums",
    "mean",
    "mean_of",
    "mean_of_differences",
    "mean_of_parts",
    "mean_or_share",
    "more_samples",
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
    "two_sided",
    "upper_tail",
    "weighted_sum",
    "with_rare_changes",
]
