"""Means and ratios of sums, taken apart into what each cluster adds to their error."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from harness.core.statistics.clusters import Clusters, cluster_labels

__all__ = ["Linear", "linear"]

Values = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Linear:
    """A ratio of two sums with its error to the first order.

    `parts` are what each cluster adds to it, in the unit of `value`: the root of the sum of their squares is the
    standard error, and sums of products of two statistics' parts are their covariance. `degrees` are those of freedom
    of that error, at least 1; `count` clusters of equal weight would weigh as these do.
    """

    value: float
    parts: Values
    degrees: float
    count: float

    @cached_property
    def stderr(self) -> float:
        """The standard error."""
        return float(np.sqrt((self.parts**2).sum()))

    @property
    def shows_error(self) -> bool:
        """Whether the samples differ by more than rounding."""
        return self.stderr > 1e-12 * max(1.0, abs(self.value))

    @cached_property
    def skewness(self) -> float:
        """Of the value itself, which falls with the root of the number of clusters; 0 without an error."""
        return float((self.parts**3).sum() / self.stderr**3) if self.shows_error else 0.0


def linear(
    numerators: Sequence[float] | Values, denominators: Sequence[float] | Values, clusters: Clusters | None = None
) -> Linear | None:
    """The ratio of two sums over n >= 1 samples, whose denominators are at least 0 and don't sum to 0; None for a
    single cluster, whose error nobody knows.

    The parts are the residuals of the ratio estimator (Cochran, 1977) summed by cluster, each over the root of 1 less
    the cluster's share of all denominators, which takes away the bias of few or unequal clusters (CR2), with the
    degrees of freedom of Bell and McCaffrey (2002). Clusters that weigh alike have one fewer than their number.
    """
    top, bottom = np.asarray(numerators, dtype=float), np.asarray(denominators, dtype=float)
    total, labels = bottom.sum(), cluster_labels(len(top), clusters)
    value = top.sum() / total
    weights = np.bincount(labels, weights=bottom) / total
    if (weights > 0).sum() < 2:
        return None
    sums = np.bincount(labels, weights=top - value * bottom) / total
    leverage = weights**2 / (1 - weights)
    squares = float((weights**2).sum())
    degrees = 1 / (squares + float(leverage.sum() ** 2 - (leverage**2).sum()))
    return Linear(value=float(value), parts=sums / np.sqrt(1 - weights), degrees=max(1.0, degrees), count=1 / squares)
