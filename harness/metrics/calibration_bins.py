"""Samples put into bins by their confidence."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.metrics.confidence import Values

__all__ = ["MOST_BINS", "SMALLEST_BIN", "Bins", "equal_mass_bins", "equal_width_bins"]

MOST_BINS = 15
SMALLEST_BIN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Bins:
    """Three arrays of one value a bin, and the bin of each sample."""

    sizes: Values
    confidence: Values
    accuracy: Values
    member: NDArray[np.intp]

    @property
    def shares(self) -> Values:
        """Of all samples."""
        return np.asarray(self.sizes / self.sizes.sum(), dtype=float)

    @property
    def gaps(self) -> Values:
        """Mean confidence less accuracy."""
        return self.confidence - self.accuracy

    @property
    def variance(self) -> Values:
        """Of the accuracy of each bin, by its binomial error; 0 where all or none are right."""
        return self.accuracy * (1 - self.accuracy) / np.maximum(self.sizes - 1, 1)

    @property
    def likely_variance(self) -> Values:
        """As `variance`, of an accuracy drawn towards a half by two samples, so that it is never 0."""
        drawn = (self.accuracy * self.sizes + 1) / (self.sizes + 2)
        return np.asarray(drawn * (1 - drawn) / self.sizes, dtype=float)


def equal_mass_bins(confidence: Values, right: Values) -> Bins:
    """`MOST_BINS` bins, or fewer, so that none holds fewer than `SMALLEST_BIN` samples (one bin at the least).

    Equal confidences have no order and stay together: a bin ends where the confidence changes, as near as can be to
    where bins of equal size would end.
    """
    count = len(confidence)
    wanted = max(1, min(MOST_BINS, count // SMALLEST_BIN))
    if wanted == 1:
        return _bins(np.zeros(count, dtype=int), confidence, right)
    ordered = np.sort(confidence)
    changes = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]) + 1, count)
    ends = np.arange(1, wanted) * count // wanted
    after = np.searchsorted(changes, ends)
    below, above = changes[np.maximum(after - 1, 0)], changes[after]
    edges = [0]
    for edge in np.where(ends - below <= above - ends, below, above).tolist():
        if edge - edges[-1] >= SMALLEST_BIN and count - edge >= SMALLEST_BIN:
            edges.append(edge)
    return _bins(np.searchsorted(ordered[edges[1:]], confidence, side="right"), confidence, right)


def equal_width_bins(confidence: Values, right: Values, count: int = MOST_BINS) -> Bins:
    """Those of `count` bins of the same width that hold a sample; a bin holds its upper end, the first 0 too."""
    return _bins(np.maximum(np.ceil(confidence * count).astype(int), 1) - 1, confidence, right)


def _bins(which: NDArray[np.intp], confidence: Values, right: Values) -> Bins:
    """Bins without a sample are left out, and the others numbered again."""
    counts = np.bincount(which)
    filled = counts > 0
    member = (np.cumsum(filled) - 1)[which]
    sizes = counts[filled].astype(float)
    sure, hits = (np.bincount(member, weights=weights) for weights in (confidence, right))
    return Bins(sizes=sizes, confidence=sure / sizes, accuracy=hits / sizes, member=member)
