"""Classification by verbalised labels: a multiple choice whose choices are the same for every sample."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace

from typing_extensions import override

from harness.core.metrics import Metric
from harness.core.requests import Response
from harness.core.scores import Score
from harness.core.tasks import Row, Sample
from harness.metrics.standard import ACC, MACRO_F1, MCC, confusion_cell
from harness.tasks.choices import MultipleChoice

__all__ = ["LabelledChoice", "label_metrics"]


def label_metrics(labels: Sequence[str]) -> tuple[Metric, ...]:
    """Accuracy, macro-F1, MCC, and each cell of the confusion matrix."""
    cells = [confusion_cell(gold, predicted) for gold in labels for predicted in labels]
    return (ACC, MACRO_F1, MCC, *cells)


class LabelledChoice(MultipleChoice):
    """Which of `labels` the model finds most likely after the question.

    A sample has a score for each cell of its own gold label's row of the confusion matrix, and for no other cell.
    """

    @abstractmethod
    def label(self, row: Row) -> str:
        """The right one of `labels`."""

    @override
    def choices(self, row: Row) -> Sequence[str]:
        """The labels."""
        return self.labels

    @override
    def gold(self, row: Row) -> int:
        """The index of the right label."""
        return self.labels.index(self.label(row))

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """Cells of the confusion matrix are 1 where the prediction falls into them."""
        pairs = [(gold, predicted) for gold in self.labels for predicted in self.labels]
        cells = {confusion_cell(*pair).name: pair for pair in pairs}
        scores = []
        for score in super().score(sample, responses):
            if score.metric not in cells:
                scores.append(score)
                continue
            gold, predicted = cells[score.metric]
            if score.gold == gold:
                value = None if score.predicted is None else float(score.predicted == predicted)
                scores.append(replace(score, value=value))
        return scores
