"""Intervals of what a table of gold and predicted labels amounts to: F1, MCC, precision, recall."""

import math
from collections.abc import Callable
from random import Random

import numpy as np
from numpy.typing import NDArray
from scipy import special

from harness.core.statistics.clusters import Clusters, cluster_members, inflation, is_clustered
from harness.core.statistics.intervals import CONFIDENCE, Interval, named, upper_tail

__all__ = ["OfCounts", "cells_interval"]

Counts = NDArray[np.float64]

OfCounts = Callable[[Counts], NDArray[np.float64]]
"""One value for each of the tables of shape (tables, gold labels, predicted labels); NaN where undefined."""

_DRAWS = 1000
_PRIOR = 0.25
"""Pseudo-samples in each cell of a two by two table: with fewer a flawless sample would look certain, with more a rare
label is drowned; found by simulation (`benchmarks/coverage`) between the 0 of a bootstrap and Jeffreys' 0.5."""

_STEP = 1e-4

_BLOCK = 2_000_000
"""Numbers that are drawn at once."""

_MOST = 100 * _BLOCK
"""Numbers that are drawn at most: of a table with a thousand labels there are fewer draws."""


def cells_interval(
    of_counts: OfCounts,
    table: tuple[int, NDArray[np.intp]],
    *,
    rng: Random,
    all_labels: bool = False,
    clusters: Clusters | None = None,
    confidence: float = CONFIDENCE,
) -> Interval:
    """The value of a table of labels, with its interval from the posterior of the table's shares.

    `table` is the number of labels k and the cell of each of n >= 1 samples, k times its gold label plus its predicted
    one. The shares have a Dirichlet posterior (Goutte and Gaussier, 2005; Caelen, 2017) with a weak prior on the rows
    whose gold label occurs, or on all of them where `all_labels` of the table are known to exist, so that what was not
    seen may yet happen: a flawless sample has an interval, and so has one without the label in question. Quantiles are
    moved once by the share of draws below the value of the posterior's mean, which takes away most of what a curved
    statistic is shifted by. Clustered samples count as the number of independent ones with the same error, and with the
    quantile of t over clusters - 1. No errors where there is a single cluster, or a single label.
    """
    size, cells = table
    counts = np.bincount(cells, minlength=size * size).astype(float).reshape(size, size)
    value = float(of_counts(counts[None])[0])
    groups = len(cluster_members(len(cells), clusters))
    if math.isnan(value) or groups < 2 or size < 2:
        return Interval(value=value, stderr=None, low=None, high=None, method=None)
    prior = _prior(counts, all_labels)
    clustered = is_clustered(clusters)
    worth = _worth(of_counts, counts + prior, cells, clusters) if clustered else 1.0
    shape = counts * worth + prior
    generator = np.random.default_rng(rng.getrandbits(64))
    draws = _draws(of_counts, shape, counts.sum(), generator)
    centre = float(of_counts(shape[None] * counts.sum() / shape.sum())[0])
    shift = float(special.ndtri(((draws < centre).sum() + 0.5) / (len(draws) + 1)))
    upper = upper_tail(confidence)
    tail = float(special.stdtrit(groups - 1, upper) if clustered else special.ndtri(upper))
    low, high = np.quantile(draws, special.ndtr([shift - tail, shift + tail]))
    return Interval(
        value=value,
        stderr=float(draws.std(ddof=1)),
        low=min(float(low), value),
        high=max(float(high), value),
        method=named("posterior of the confusion matrix", clustered=clustered),
    )


def _draws(of_counts: OfCounts, shape: Counts, total: float, generator: np.random.Generator) -> NDArray[np.float64]:
    """The statistic of tables of `total` samples whose shares are drawn from the posterior."""
    count = min(_DRAWS, _MOST // shape.size)
    block = max(1, _BLOCK // shape.size)
    found = []
    for start in range(0, count, block):
        drawn = generator.standard_gamma(shape, size=(min(block, count - start), *shape.shape))
        found.append(of_counts(drawn * (total / drawn.sum(axis=(1, 2), keepdims=True))))
    return np.concatenate(found)


def _prior(counts: Counts, all_labels: bool) -> Counts:
    """Of each gold label that occurs, or of all, as much for right as for wrong; the less the more labels there are."""
    size = len(counts)
    each = 2 * _PRIOR / math.sqrt(2 * size)
    prior = np.full((size, size), each / max(1, size - 1))
    np.fill_diagonal(prior, each)
    return np.where(all_labels | (counts.sum(axis=1, keepdims=True) > 0), prior, 0.0)


def _worth(of_counts: OfCounts, counts: Counts, cells: NDArray[np.intp], clusters: Clusters | None) -> float:
    """How much of an independent sample each clustered one is worth, at most 1: from the slopes of the statistic."""
    size = len(counts)
    moved = counts + _STEP * np.eye(size * size).reshape(-1, size, size)
    slopes = (of_counts(moved) - of_counts(counts[None])) / _STEP
    influence = slopes[cells] - slopes[cells].mean()
    return 1 / inflation(influence, clusters)
