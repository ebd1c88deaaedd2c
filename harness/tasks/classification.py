"""Tasks for models with a head that labels texts: one label a text, several, or a number."""

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace

from typing_extensions import override

from harness.checkpoints.labels import label_count
from harness.core.checkpoints import Checkpoint
from harness.core.errors import DataError
from harness.core.metrics import Metric
from harness.core.requests import Classify, Response
from harness.core.scores import Score
from harness.core.tasks import Row, Sample
from harness.core.text.reasons import Reason
from harness.metrics.correlation import MAE, PEARSON, SPEARMAN
from harness.metrics.labels import label_set
from harness.tasks.rows import RowTask

__all__ = ["Classification", "LabelledText", "MultiLabelClassification", "Regression", "unmatched"]

_MULTI = "multi_label_classification"
_THRESHOLD = 0.5


def unmatched(wanted: Sequence[str], named: Sequence[str]) -> str | None:
    """Why a checkpoint whose labels are `named` can't be asked for those `wanted`; None where it can.

    Names match whatever their case.
    """
    if not named:
        return "its labels have no names: name them with --labels, in the order of the model's outputs"
    have = {name.strip().casefold() for name in named}
    missing = [name for name in wanted if name.strip().casefold() not in have]
    if not missing:
        return None
    return Reason(
        "its labels are {named}, and the task needs {missing} (see --labels)",
        named=_listed(named),
        missing=_listed(missing),
    )


def _listed(names: Sequence[str], shown: int = 10) -> str:
    others = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + others


class LabelledText(RowTask):
    """A text, or a pair of texts, that a classifier labels. A classifier takes no exemplars."""

    asks = (Classify,)
    supports_fewshot = False
    labels: Sequence[str] = ()

    @abstractmethod
    def text(self, row: Row) -> str:
        """The text of a row, or the first of its two."""

    def text_pair(self, row: Row) -> str | None:  # noqa: ARG002
        """The second text, such as a hypothesis; None where there is one text alone."""
        return None

    @abstractmethod
    def truth(self, row: Row) -> str:
        """What the model should say, as a score's `gold`. Raises `DataError` where the row can't be scored."""

    @override
    def sample(self, row: Row) -> Sample:
        return Sample(id="", prompt=self.text(row), gold=self.truth(row), fields={"text_pair": self.text_pair(row)})

    @override
    def requests(self, sample: Sample) -> Sequence[Classify]:
        """One request for the text."""
        return [Classify(text=sample.prompt, text_pair=sample.fields["text_pair"])]

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """A score for each metric, with what is right and what the model said."""
        (response,) = responses
        assert isinstance(sample.gold, str)
        blank = Score(sample_id=sample.id, metric="", gold=sample.gold, cluster=sample.cluster)
        if response.label_scores is None:
            blank = replace(blank, invalid=response.invalid or "the model gave no label")
        else:
            predicted = self.predicted(response.label_scores)
            blank = replace(blank, predicted=predicted, value=self.value(sample.gold, predicted))
        return [replace(blank, metric=metric.name) for metric in self.metrics]

    @abstractmethod
    def predicted(self, scores: Mapping[str, float]) -> str:
        """What the model says, from its score for each label, as a score's `predicted`."""

    def value(self, gold: str, predicted: str) -> float:
        """What the metrics that average read: whether it is right."""
        return float(gold == predicted)

    def known(self, label: str) -> str:
        """The task's own spelling of a model's label; the model's where the task has none like it."""
        return next((one for one in self.labels if one.strip().casefold() == label.strip().casefold()), label)


class Classification(LabelledText):
    """One of `labels` a text. The model's choice is its label with the highest score, one the task doesn't know too."""

    @abstractmethod
    def label(self, row: Row) -> str:
        """The right one of `labels`."""

    @override
    def truth(self, row: Row) -> str:
        label = self.label(row)
        if label not in self.labels:
            raise DataError(f"the label {label!r:.40} is none of {_listed(self.labels)}")
        return label

    @override
    def predicted(self, scores: Mapping[str, float]) -> str:
        """The first of equal ones."""
        return self.known(max(scores, key=lambda label: scores[label]))

    @override
    def refusal(self, checkpoint: Checkpoint) -> str | None:
        return unmatched(self.labels, checkpoint.labels)


class MultiLabelClassification(LabelledText):
    """Any number of `labels` a text: those that the model gives 0.5 or more."""

    @abstractmethod
    def gold_labels(self, row: Row) -> Sequence[str]:
        """The right ones of `labels`; there may be none."""

    @override
    def truth(self, row: Row) -> str:
        right = self.gold_labels(row)
        if strange := sorted(set(right) - set(self.labels)):
            raise DataError(f"the label {strange[0]!r:.40} is none of {_listed(self.labels)}")
        return label_set(right)

    @override
    def predicted(self, scores: Mapping[str, float]) -> str:
        return label_set([self.known(label) for label, score in scores.items() if score >= _THRESHOLD])

    @override
    def refusal(self, checkpoint: Checkpoint) -> str | None:
        if checkpoint.config.get("problem_type") != _MULTI:
            return Reason("it gives each text one label: problem_type in its config.json isn't {needed}", needed=_MULTI)
        return unmatched(self.labels, checkpoint.labels)


class Regression(LabelledText):
    """A number a text, such as how alike two sentences are."""

    metrics: Sequence[Metric] = (PEARSON, SPEARMAN, MAE)

    @abstractmethod
    def number(self, row: Row) -> float:
        """The right number."""

    @override
    def truth(self, row: Row) -> str:
        number = self.number(row)
        if not math.isfinite(number):
            raise DataError("the gold number is not finite")
        return repr(number)

    @override
    def predicted(self, scores: Mapping[str, float]) -> str:
        (number,) = scores.values()
        return repr(number)

    @override
    def value(self, gold: str, predicted: str) -> float:
        """By how much the prediction is off."""
        return abs(float(gold) - float(predicted))

    @override
    def refusal(self, checkpoint: Checkpoint) -> str | None:
        count = label_count(checkpoint.config)
        return (
            None
            if count == 1
            else Reason("it has {count} labels, and a regression needs exactly one", count=count or 0)
        )
