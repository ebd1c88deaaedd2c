from random import Random

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from harness.core.datasets import Row
from harness.core.requests import Response
from harness.core.scores import Score
from harness.core.tasks import TaskSettings
from harness.tasks.labelled import LabelledChoice, label_metrics

LABELS = ("cold", "mild", "warm")


class Weather(LabelledChoice):
    """Weather."""

    name = "weather"
    labels = LABELS
    metrics = label_metrics(LABELS)

    def question(self, row: Row) -> str:
        return f"{row['day']} is"

    def label(self, row: Row) -> str:
        return str(row["label"])


def _scores(gold: list[str], predicted: list[str | None]) -> list[Score]:
    task = Weather()
    rows = [{"day": f"day {index}", "label": label} for index, label in enumerate(gold)]
    samples = task.samples(rows, TaskSettings(limit=None, num_fewshot=0, seed=0))
    return [
        score
        for sample, label in zip(samples, predicted, strict=True)
        for score in task.score(
            sample,
            [
                Response(request_id=choice, loglikelihood=-1.0 if choice == label else -5.0)
                if label
                else Response(request_id=choice, invalid="NaN logits")
                for choice in sample.choices
            ],
        )
    ]


def test_the_cells_are_scikit_learns_matrix_normalised_over_gold_labels() -> None:
    generator = np.random.default_rng(0)
    gold, predicted = generator.choice(LABELS, 60).tolist(), generator.choice(LABELS, 60).tolist()
    scores = _scores(gold, predicted)
    truth = confusion_matrix(gold, predicted, labels=list(LABELS), normalize="true")
    for metric in Weather.metrics:
        if not metric.name.startswith("confusion"):
            continue
        row, column = (LABELS.index(label) for label in metric.name.split("_")[1:])
        cell = [score for score in scores if score.metric == metric.name]
        assert len(cell) == gold.count(LABELS[row])
        assert metric.reduce(cell, Random("a")).value == pytest.approx(truth[row, column])
        assert metric.direction == ("higher" if row == column else "lower")


def test_a_sample_scores_its_own_row_of_the_matrix_only() -> None:
    names = [score.metric for score in _scores(["mild"], ["warm"])]
    assert names == ["acc", "macro_f1", "mcc", "confusion_mild_cold", "confusion_mild_mild", "confusion_mild_warm"]


def test_an_invalid_response_has_no_cell_that_counts() -> None:
    assert all(
        score.invalid == "NaN logits" and score.value is None and score.predicted is None
        for score in _scores(["mild"], [None])
    )
