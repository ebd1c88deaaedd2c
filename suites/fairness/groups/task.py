"""Decisions about people by group: does the model accept, and err, equally often whoever is concerned?"""

from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from harness.core.checkpoints import Checkpoint
from harness.core.errors import DataError
from harness.core.metrics import Metric
from harness.core.requests import Classify, Request, Response
from harness.core.scores import Score
from harness.core.tasks import Row, Sample, TaskSettings
from harness.metrics.standard import ACC, MCC
from harness.tasks.classification import unmatched
from harness.tasks.labelled import LabelledChoice
from suites.fairness.groups.disparities import MeanPredictionDifference, disparity_metrics
from suites.fairness.groups.metrics import (
    CALIBRATION_GAP,
    FALSE_NEGATIVE_RATE,
    FALSE_POSITIVE_RATE,
    SELECTION_RATE,
    CalibrationError,
    rate_metrics,
)

__all__ = ["JOINED", "MAX_GROUPS", "GroupDecision", "check_groups", "group_metrics", "joined"]

JOINED = " & "
"""Between the attributes, and between the values, of an intersection."""

MAX_GROUPS = 50
"""Values an attribute may have; more are no groups, but numbers or names."""


def joined(attributes: Sequence[str]) -> str:
    """The name of the intersection of several attributes, such as `sex & race`."""
    return JOINED.join(attributes)


def group_metrics(
    attributes: Sequence[str],
    intersections: Sequence[Sequence[str]] = (),
    *,
    positive: str,
    base_rate: float,
    smallest_group: int = 10,
) -> tuple[Metric, ...]:
    """All metrics of a decision: overall, by each attribute, and by each intersection of attributes.

    `positive` is the label that counts as acceptance, `base_rate` the share of samples that bear it, from 0 to 1.
    """
    crossed = [joined(several) for several in intersections]
    return (
        replace(ACC, by=(*attributes, *crossed), smallest_group=smallest_group),
        MCC,
        *rate_metrics(attributes, positive=positive, base_rate=base_rate, smallest_group=smallest_group),
        *(
            metric
            for attribute in (*attributes, *crossed)
            for metric in disparity_metrics(attribute, positive=positive, smallest_group=smallest_group)
        ),
    )


class GroupDecision(LabelledChoice):
    """A yes-or-no decision about people of several groups, by verbalised labels or by a classifier's own.

    The model's decision is the likeliest of `labels` after the prompt, or, with `by_classifier`, the label to which a
    classifier gives the highest score; `positive` is the label that a rate counts. A decision between more than two
    labels is read as positive or not, but for `acc` and `mcc`. The probability of the positive label, for calibration,
    is its share among the labels' probabilities.
    """

    positive: str
    attributes: Sequence[str]
    intersections: Sequence[Sequence[str]] = ()
    smallest_group: int = 10
    by_classifier: bool = False

    @abstractmethod
    def groups(self, row: Row) -> Mapping[str, str]:
        """The value of each of `attributes`."""

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """Raises `DataError` for an attribute that doesn't part the rows into groups."""
        groups = [self._grouped(index, row) for index, row in enumerate(rows)]
        for attribute in self.attributes:
            check_groups(attribute, (found[attribute] for found in groups), place=self._origin)
        return super().samples(rows, settings)

    @override
    def sample(self, row: Row) -> Sample:
        """With the groups, and those of the intersections."""
        groups = dict(self.groups(row))
        crossed = {joined(several): joined([groups[one] for one in several]) for several in self.intersections}
        return replace(super().sample(row), fields={"groups": {**groups, **crossed}})

    @override
    def refusal(self, checkpoint: Checkpoint) -> str | None:
        """A classifier must have the labels."""
        return unmatched(self.labels, checkpoint.labels) if self.by_classifier else None

    @override
    def requests(self, sample: Sample) -> Sequence[Request]:  # type: ignore[override]
        """One log-likelihood for each label, or one classification."""
        return [Classify(text=sample.prompt)] if self.by_classifier else super().requests(sample)

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """A score for each metric that counts the sample: false positive rates count negative samples alone."""
        base = replace(self._decided(sample, responses), groups=sample.fields["groups"])
        if base.invalid is not None:
            return [replace(base, metric=metric.name) for metric in self.metrics]
        decision = _Decision(
            positive=base.gold == self.positive,
            accepted=base.predicted == self.positive,
            right=base.predicted == base.gold,
            probability=self._probability(responses),
        )
        values = [_counted(metric, decision) for metric in self.metrics]
        return [
            replace(base, metric=metric.name, value=value)
            for metric, value in zip(self.metrics, values, strict=True)
            if value is not None
        ]

    def _grouped(self, index: int, row: Row) -> Mapping[str, str]:
        place = f"{self._origin}, row {index + 1}"
        try:
            return self.groups(row)
        except KeyError as error:
            raise DataError(f"has no field {error.args[0]!r}", place=place, fix=f"It has {', '.join(row)}") from error
        except DataError as error:
            raise DataError(error.problem, place=place, fix=error.fix) from error

    def _decided(self, sample: Sample, responses: Sequence[Response]) -> Score:
        """Gold and predicted label, and a value of 1 where they agree."""
        if not self.by_classifier:
            (score, *_) = super().score(sample, responses)
            return score
        (response,) = responses
        assert isinstance(sample.gold, int)
        blank = Score(sample_id=sample.id, metric="", gold=self.labels[sample.gold], cluster=sample.cluster)
        if response.label_scores is None:
            return replace(blank, invalid=response.invalid or "the model gave no labels")
        given = self._given(response)
        predicted = self.labels[int(np.argmax(given))]
        return replace(blank, predicted=predicted, value=float(predicted == blank.gold))

    def _given(self, response: Response) -> NDArray[np.float64]:
        """A classifier's score for each of `labels`, whose names match whatever their case."""
        assert response.label_scores is not None
        scores = {label.strip().casefold(): score for label, score in response.label_scores.items()}
        return np.array([scores[label.strip().casefold()] for label in self.labels])

    def _probability(self, responses: Sequence[Response]) -> float:
        """The share of the positive label among the labels' probabilities."""
        if self.by_classifier:
            weights = self._given(responses[0])
        else:
            found = np.array([response.loglikelihood for response in responses], dtype=float)
            weights = np.exp(found - found.max())
        return float(weights[list(self.labels).index(self.positive)] / weights.sum())


def check_groups(attribute: str, values: Iterable[str], *, place: str) -> None:
    """Raises `DataError` unless the attribute has from 2 to `MAX_GROUPS` values."""
    found = Counter(values)
    if len(found) < 2:
        raise DataError(
            f"the attribute {attribute!r} has one value only ({next(iter(found))!r})",
            place=place,
            fix="Groups can only be compared where there are two",
        )
    if len(found) > MAX_GROUPS:
        raise DataError(
            f"the attribute {attribute!r} has {len(found)} values",
            place=place,
            fix=f"Put them into at most {MAX_GROUPS} groups first",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decision:
    """One sample: gold label and decision, positive or not, whether they agree, and how likely the positive one is."""

    positive: bool
    accepted: bool
    right: bool
    probability: float


_COUNTED: Mapping[str, Callable[[_Decision], float | None]] = {
    SELECTION_RATE.name: lambda one: float(one.accepted),
    FALSE_POSITIVE_RATE.name: lambda one: None if one.positive else float(one.accepted),
    FALSE_NEGATIVE_RATE.name: lambda one: float(not one.accepted) if one.positive else None,
    CALIBRATION_GAP.name: lambda one: one.probability - one.positive,
}


def _counted(metric: Metric, one: _Decision) -> float | None:
    """What a metric averages of a decision; None where it doesn't count it, and for a metric of labels rightness."""
    if isinstance(metric, CalibrationError | MeanPredictionDifference):
        return one.probability
    return _COUNTED[metric.name](one) if metric.name in _COUNTED else float(one.right)
