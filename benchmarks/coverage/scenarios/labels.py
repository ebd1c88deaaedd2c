"""F1, MCC and the report by class, of two and of more labels."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from benchmarks.coverage.scenario import Generator, Scenario, cluster_names, shared_normal
from harness.core.scores import Score
from harness.core.text.labels import LabelMetric
from harness.metrics.labels import class_report
from harness.metrics.standard import MACRO_F1, MCC

FLAWLESS = "a sample without an error says nothing of rare ones: no end can lie within the truth"


def _two(positives: float, recall: float, specificity: float) -> NDArray[np.float64]:
    return np.array(
        [
            [(1 - positives) * specificity, (1 - positives) * (1 - specificity)],
            [positives * (1 - recall), positives * recall],
        ]
    )


def _many(count: int, right: float) -> NDArray[np.float64]:
    table = np.full((count, count), (1 - right) / (count - 1) / count)
    np.fill_diagonal(table, right / count)
    return table


def _of(metric: LabelMetric, name: str, table: NDArray[np.float64], edge: str = "") -> Scenario:
    size = len(table)
    ends = np.cumsum(table.ravel())

    def draw(generator: Generator, n: int, clustered: bool) -> Sequence[Score]:
        uniform = ndtr(shared_normal(generator, n, clustered)[:, 0])
        cells = np.minimum(np.searchsorted(ends, uniform), size * size - 1)
        return [
            Score(
                sample_id=str(i),
                metric=metric.name,
                gold=f"{cell // size:02}",
                predicted=f"{cell % size:02}",
                cluster=c,
            )
            for i, (cell, c) in enumerate(zip(cells.tolist(), cluster_names(n, clustered), strict=True))
        ]

    truth = float(metric.of_counts(table[None])[0])
    return Scenario(metric=metric, name=name, draw=draw, truth=truth, edge=edge)


_PRECISION, _RECALL, _F1 = class_report(["01"])
_TABLES = (
    ("half positive", _two(0.5, 0.8, 0.8), ""),
    ("10 % positive", _two(0.1, 0.7, 0.95), "few of a rare label: counts are coarse"),
    ("10 % positive, a guesser", _two(0.1, 0.1, 0.9), "few of a rare label: counts are coarse"),
    ("nearly flawless", _two(0.3, 0.98, 0.99), FLAWLESS),
    ("8 labels", _many(8, 0.6), ""),
)

SCENARIOS = tuple(
    _of(metric, name, table, edge)
    for metric in (MACRO_F1, MCC, _PRECISION, _RECALL, _F1)
    for name, table, edge in _TABLES
    if isinstance(metric, LabelMetric) and (metric.label is None or len(table) == 2)
)
