"""Metrics of predicted labels: of one label a text, class by class, and of several."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from harness.core import statistics
from harness.core.metrics import Metric, Proportion, Undefined
from harness.core.scores import Score
from harness.core.statistics import CONFIDENCE, Interval, Statistic
from harness.core.text.labels import LabelMetric
from harness.core.text.reasons import Reason
from harness.metrics.standard import MACRO_F1, MCC

__all__ = [
    "ACC",
    "SUBSET_ACC",
    "ClassMetric",
    "LabelSetMetric",
    "class_report",
    "label_set",
    "label_set_metrics",
    "single_metrics",
]

Counts = NDArray[np.float64]
Flags = NDArray[np.bool_]
Average = Literal["micro", "macro"]
Figure = Literal["precision", "recall", "f1"]

SKLEARN = "as in scikit-learn (Pedregosa et al., 2011)"

ACC = Proportion(
    name="acc",
    unit="share",
    direction="higher",
    source=f"share of texts whose gold label has the highest score, {SKLEARN}",
    meaning="Share of texts, in [0, 1], whose gold label has the highest score of all labels of the model.",
)

SUBSET_ACC = Proportion(
    name="subset_acc",
    unit="share",
    direction="higher",
    source=f"share of texts whose set of labels is exactly the gold one, {SKLEARN}",
    meaning="Share of texts, in [0, 1], all of whose labels are right, none too many and none missing.",
)


def single_metrics(labels: Sequence[str]) -> tuple[Metric, ...]:
    """Accuracy, macro-F1, MCC, and the report class by class."""
    return (ACC, MACRO_F1, MCC, *class_report(labels))


@dataclass(frozen=True, kw_only=True)
class ClassMetric(LabelMetric):
    """A figure of one class, from 0 to 1; higher is better.

    Precision is the share of texts called so that are so, recall the share of texts that are so and are called so, F1
    the harmonic mean of both.
    """

    figure: Figure

    @override
    def of_counts(self, counts: Counts) -> Counts:
        right, gold, predicted = counts[:, 1, 1], counts[:, 1].sum(axis=1), counts[:, :, 1].sum(axis=1)
        if self.figure == "precision":
            return _ratios(right, predicted)
        return _ratios(right, gold) if self.figure == "recall" else _ratios(2 * right, gold + predicted)


_FIGURES: Mapping[Figure, str] = {
    "precision": "by the model",
    "recall": "by the data",
    "f1": "by data or model",
}
"""Each figure of a class, and by whom no text is of the class where the figure is undefined."""


def class_report(labels: Sequence[str]) -> tuple[Metric, ...]:
    """Precision, recall and F1 of each class, each in [0, 1]; absent where its denominator is 0."""
    return tuple(
        ClassMetric(
            name=f"{figure}_{label}",
            unit=f"F1 of {label}" if figure == "f1" else f"share of {label}",
            direction="higher",
            source=f"van Rijsbergen (1979), {SKLEARN}",
            figure=figure,
            label=label,
            nothing=Reason("no text is {label} {by}", label=label, by=by),
        )
        for label in labels
        for figure, by in _FIGURES.items()
    )


def _ratios(parts: NDArray[np.float64], wholes: NDArray[np.float64]) -> NDArray[np.float64]:
    found = np.divide(parts, wholes, out=np.full(len(parts), math.nan), where=wholes > 0)
    return np.asarray(found, dtype=float)


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else math.nan


def label_set(labels: Sequence[str]) -> str:
    """Several labels as the one text that a score holds."""
    return json.dumps(sorted(labels), ensure_ascii=False)


@dataclass(frozen=True, kw_only=True)
class LabelSetMetric(Metric):
    """F1 of gold and predicted sets of labels, from 0 to 1; higher is better.

    The `micro` average is over all decisions together, the `macro` average the unweighted mean over labels, one that
    occurs nowhere counting 0. The interval is a seeded bootstrap.
    """

    labels: tuple[str, ...]
    average: Average

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        clusters = [score.cluster for score in scores]
        interval = statistics.bootstrap(
            self.resampled(scores),
            len(scores),
            rng=rng,
            clusters=clusters,
            confidence=confidence,
            lowest=0.0,
            highest=1.0,
        )
        if math.isnan(interval.value):
            raise Undefined("no text has a gold label or a predicted one")
        return interval

    @override
    def resampled(self, scores: Sequence[Score]) -> Statistic:
        gold, predicted = (
            np.array([[label in listed for label in self.labels] for listed in map(_listed, texts)])
            for texts in ([score.gold for score in scores], [score.predicted for score in scores])
        )
        f1 = _micro_f1 if self.average == "micro" else _macro_f1
        return lambda rows: f1(gold[rows], predicted[rows])


def _listed(text: str | None) -> set[str]:
    if text is None:
        raise Undefined("a sample has no labels")
    return set(json.loads(text))


def _micro_f1(gold: Flags, predicted: Flags) -> float:
    return _ratio(2 * (gold & predicted).sum(), gold.sum() + predicted.sum())


def _macro_f1(gold: Flags, predicted: Flags) -> float:
    both, either = 2 * (gold & predicted).sum(axis=0), gold.sum(axis=0) + predicted.sum(axis=0)
    return float(np.mean(both / np.maximum(either, 1))) if either.any() else math.nan


def label_set_metrics(labels: Sequence[str]) -> tuple[Metric, ...]:
    """Micro-F1, macro-F1 and subset accuracy."""
    source, averages = f"van Rijsbergen (1979), {SKLEARN}", get_args(Average)
    return (
        *(
            LabelSetMetric(
                name=f"{average}_f1",
                unit="F1",
                direction="higher",
                source=source,
                labels=tuple(labels),
                average=average,
            )
            for average in averages
        ),
        SUBSET_ACC,
    )
