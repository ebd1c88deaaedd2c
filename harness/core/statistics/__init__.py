"""Errors, intervals, paired differences and tests; all pure, one noun a file."""

from harness.core.statistics.intervals import CONFIDENCE, UPPER, Interval
from harness.core.statistics.means import bounded_mean, mean, proportion, ratio
from harness.core.statistics.resampling import basic, bootstrap

__all__ = ["CONFIDENCE", "UPPER", "Interval", "basic", "bootstrap", "bounded_mean", "mean", "proportion", "ratio"]
