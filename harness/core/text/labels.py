"""Metrics of a table of gold and predicted labels."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from harness.core.metrics import Metric, Undefined
from harness.core.scores import Score
from harness.core.statistics import CONFIDENCE, Interval, Statistic, Sums
from harness.core.statistics.cells import cells_interval

__all__ = ["LabelMetric"]

_MOST_LABELS = 20
"""Beyond so many labels a table a sample takes too much memory."""


@dataclass(frozen=True, kw_only=True)
class LabelMetric(Metric):
    """A statistic of gold and predicted labels (F1, MCC), with the interval of `statistics.cells_interval`.

    The labels of its tables are those that occur in either over all samples, sorted. Where `label` is given, the table
    is two by two: any other label, and this one. `nothing` is the reason where the value is undefined. Of more than two
    labels, fewer than `fewest_a_label` samples for each on average leave the value without an interval.
    """

    label: str | None = None
    fewest_a_label: int = 0
    nothing: str = "undefined on these labels"

    @abstractmethod
    def of_counts(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """The values of tables of shape (tables, gold labels, predicted labels); NaN where undefined."""

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        clusters = [score.cluster for score in scores]
        size, cells = self._table(scores)
        found = cells_interval(
            self.of_counts,
            (size, cells),
            rng=rng,
            all_labels=self.label is not None,
            clusters=clusters,
            confidence=confidence,
        )
        if np.isnan(found.value):
            raise Undefined(self.nothing)
        if size > 2 and len(cells) < self.fewest_a_label * size:
            told = f"no interval: fewer than {self.fewest_a_label} samples for each of {size} labels"
            return Interval(value=found.value, stderr=None, low=None, high=None, method=told)
        return found

    @override
    def resampled(self, scores: Sequence[Score]) -> Statistic:
        """A resample that lost a gold label has no value: it would measure another task."""
        size, cells = self._table(scores)
        there = np.isin(np.arange(size), cells // size)

        def of(sums: NDArray[np.float64]) -> NDArray[np.float64]:
            counts = sums.reshape(len(sums), size, size)
            lost = (counts.sum(axis=2)[:, there] == 0).any(axis=1)
            return np.where(lost, np.nan, self.of_counts(counts))

        if size > _MOST_LABELS:
            return lambda rows: float(of(np.bincount(cells[rows], minlength=size**2)[None].astype(float))[0])
        return Sums(parts=np.eye(size * size)[cells], of=of)

    def _table(self, scores: Sequence[Score]) -> tuple[int, NDArray[np.intp]]:
        """How many labels there are, and the cell of each sample."""
        pairs = [(score.gold, score.predicted) for score in scores]
        if any(label is None for pair in pairs for label in pair):
            raise Undefined("a sample has no label")
        gold, predicted = np.array(pairs, dtype=np.str_).T
        if self.label is not None:
            return 2, 2 * (gold == self.label) + (predicted == self.label)
        labels = np.union1d(gold, predicted)
        return len(labels), np.searchsorted(labels, gold) * len(labels) + np.searchsorted(labels, predicted)
