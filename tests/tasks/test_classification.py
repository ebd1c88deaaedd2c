"""Classification tasks and their metrics against scikit-learn and scipy."""

import json
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import (
    accuracy_score,
    classification_report,
    f1_score,
    matthews_corrcoef,
    mean_absolute_error,
)

from harness.checkpoints.labels import with_labels
from harness.core.checkpoints import Checkpoint
from harness.core.datasets import Row
from harness.core.errors import HarnessError
from harness.core.metrics import Undefined
from harness.core.requests import Classify, Response
from harness.core.scores import Score
from harness.core.tasks import Task, TaskSettings
from harness.data import load_data
from harness.metrics.labels import label_set_metrics, single_metrics
from harness.run.work import applicable
from harness.suitefiles.selection import PlannedTask, select
from harness.tasks.classification import Classification, LabelledText, MultiLabelClassification, Regression
from harness.tasks.options import TaskOptions

LABELS = ("cold", "mild", "warm")
ALL = TaskSettings(limit=None, num_fewshot=0, seed=0)


class Weather(Classification):
    """Weather."""

    name = "weather"
    labels = LABELS
    metrics = single_metrics(LABELS)

    def text(self, row: Row) -> str:
        return str(row["text"])

    def label(self, row: Row) -> str:
        return str(row["gold"])


class Sky(MultiLabelClassification):
    """Sky."""

    name = "sky"
    labels = LABELS
    metrics = label_set_metrics(LABELS)

    def text(self, row: Row) -> str:
        return str(row["text"])

    def gold_labels(self, row: Row) -> list[str]:
        return list(row["gold"])


class Degrees(Regression):
    """Degrees."""

    name = "degrees"

    def text(self, row: Row) -> str:
        return str(row["text"])

    def number(self, row: Row) -> float:
        return float(row["gold"])


def _checkpoint(*labels: str, **config: Any) -> Checkpoint:
    return Checkpoint(
        ref="x",
        kind="classifier",
        path=Path(),
        origin="",
        architecture="",
        dtype="float32",
        parameter_count=1,
        size_bytes=1,
        max_length=8,
        has_chat_template=False,
        files={},
        fingerprint="",
        labels=labels,
        config=config,
    )


def _values(task: LabelledText, gold: list[Any], said: list[dict[str, float] | None]) -> dict[str, float | None]:
    rows = [{"text": f"day {index}", "gold": one} for index, one in enumerate(gold)]
    scores: list[Score] = []
    for sample, scored in zip(task.samples(rows, ALL), said, strict=True):
        (request,) = task.requests(sample)
        scores += task.score(sample, [Response(request_id=request.id, label_scores=scored)])
    values: dict[str, float | None] = {}
    for metric in task.metrics:
        try:
            valid = [score for score in scores if score.metric == metric.name and score.invalid is None]
            values[metric.name] = metric.reduce(valid, Random("a")).value
        except Undefined:
            values[metric.name] = None
    return values


def test_a_report_is_scikit_learns() -> None:
    generator = np.random.default_rng(0)
    gold, predicted = generator.choice(LABELS, 80).tolist(), generator.choice(LABELS, 80).tolist()
    said = [{label: 0.8 if label == one else 0.1 for label in LABELS} for one in predicted]
    values = _values(Weather(), gold, said)
    report = classification_report(gold, predicted, output_dict=True)
    assert values["acc"] == pytest.approx(accuracy_score(gold, predicted))
    assert values["macro_f1"] == pytest.approx(f1_score(gold, predicted, average="macro"))
    assert values["mcc"] == pytest.approx(matthews_corrcoef(gold, predicted))
    for label in LABELS:
        assert values[f"precision_{label}"] == pytest.approx(report[label]["precision"])
        assert values[f"recall_{label}"] == pytest.approx(report[label]["recall"])
        assert values[f"f1_{label}"] == pytest.approx(report[label]["f1-score"])


def test_the_precision_of_a_class_that_is_never_predicted_is_absent_not_zero() -> None:
    values = _values(Weather(), ["cold", "mild", "mild"], [{"mild": 1.0, "cold": 0.0}] * 3)
    assert values["precision_cold"] is None
    assert (values["recall_cold"], values["f1_cold"], values["f1_warm"]) == (0.0, 0.0, None)


def test_labels_match_whatever_their_case_and_a_strange_one_is_wrong() -> None:
    values = _values(Weather(), ["cold", "mild"], [{"COLD": 0.9, "Hot": 0.1}, {"COLD": 0.1, "Hot": 0.9}])
    assert values["acc"] == 0.5
    assert values["precision_cold"] == 1.0


def test_several_labels_are_scored_as_by_scikit_learn() -> None:
    generator = np.random.default_rng(1)
    gold, chances = generator.random((60, 3)) < 0.4, generator.random((60, 3))
    listed = [[label for label, flag in zip(LABELS, row, strict=True) if flag] for row in gold]
    values = _values(Sky(), listed, [dict(zip(LABELS, row.tolist(), strict=True)) for row in chances])
    assert values["micro_f1"] == pytest.approx(f1_score(gold, chances >= 0.5, average="micro"))
    assert values["macro_f1"] == pytest.approx(f1_score(gold, chances >= 0.5, average="macro"))
    assert values["subset_acc"] == pytest.approx(accuracy_score(gold, chances >= 0.5))


def test_numbers_are_scored_as_by_scipy_and_scikit_learn() -> None:
    generator = np.random.default_rng(2)
    gold = generator.integers(0, 6, 50).astype(float)
    predicted = gold + generator.normal(0, 2, 50)
    values = _values(Degrees(), gold.tolist(), [{"LABEL_0": one} for one in predicted.tolist()])
    assert values["pearson"] == pytest.approx(stats.pearsonr(gold, predicted).statistic)
    assert values["spearman"] == pytest.approx(stats.spearmanr(gold, predicted).statistic)
    assert values["mae"] == pytest.approx(mean_absolute_error(gold, predicted))


def test_a_correlation_with_numbers_that_are_all_equal_is_absent() -> None:
    values = _values(Degrees(), [1.0, 2.0, 3.0], [{"LABEL_0": 4.0}] * 3)
    assert (values["pearson"], values["mae"]) == (None, 2.0)


def test_an_invalid_response_counts_in_no_metric() -> None:
    values = _values(Weather(), ["cold", "mild"], [{"cold": 1.0}, None])
    assert values["acc"] == 1.0


@pytest.mark.parametrize(
    ("task", "checkpoint", "said"),
    [
        (Weather(), _checkpoint("WARM", "Mild", "cold"), None),
        (Weather(), _checkpoint(), "--labels"),
        (Weather(), _checkpoint("negative", "positive"), "its labels are negative, positive, and the task needs cold"),
        (Sky(), _checkpoint(*LABELS, problem_type="multi_label_classification"), None),
        (Sky(), _checkpoint(*LABELS), "gives each text one label"),
        (Degrees(), _checkpoint(id2label={"0": "LABEL_0"}), None),
        (Degrees(), _checkpoint(id2label=dict(enumerate(LABELS))), "it has 3 labels"),
    ],
)
def test_a_checkpoint_with_other_labels_is_refused_with_the_reason(
    task: Task, checkpoint: Checkpoint, said: str | None
) -> None:
    refusal = task.refusal(checkpoint)
    assert refusal is None if said is None else said in str(refusal)


def test_a_task_that_refuses_the_checkpoint_is_skipped_with_its_reason_and_the_others_are_kept() -> None:
    planned = [PlannedTask(suite="s", task=task, settings=ALL) for task in (Weather(), Degrees(), Sky())]
    kept, skipped = applicable(planned, _checkpoint(*LABELS))
    assert [one.task.name for one in kept] == ["weather"]
    assert [(one.planned.task.name, one.reason.split()[0]) for one in skipped] == [("degrees", "it"), ("sky", "it")]


@pytest.mark.parametrize(
    ("labels", "config", "said"),
    [
        (["a"], {}, "has 2 labels, and 1 name was given"),
        (["a", "b"], {"id2label": {"0": "x", "1": "y", "2": "z"}}, "has 3 labels, and 2 names were given"),
        (["a", "a"], {}, "listed twice"),
        (["a", " "], {}, "a name is empty"),
    ],
)
def test_names_that_are_not_one_a_label_are_refused_before_anything_is_loaded(
    labels: list[str], config: dict[str, Any], said: str
) -> None:
    with pytest.raises(HarnessError) as caught:
        with_labels(_checkpoint(**config), labels)
    assert said in str(caught.value)


DECLARED = """
name: mine
tasks:
  - {name: pairs, type: classify, data: rows.jsonl, text: a, text_pair: b, gold: label, labels: ['no', 'yes']}
"""


def _declared(folder: Path, text: str, rows: list[dict[str, Any]]) -> Task:
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "mine.yaml").write_text(text)
    options = TaskOptions()
    (one,) = select([str(folder / "mine.yaml")], [], limit=None, num_fewshot=None, seed=0, options=options).planned
    return one.task


def _samples(task: Task) -> Any:
    assert task.data is not None
    assert not isinstance(task.data, str)
    return task.samples(load_data(task.data).rows, ALL)


def test_a_declared_classification_asks_for_its_pairs_and_reads_labels_by_name_or_index(tmp_path: Path) -> None:
    rows = [{"a": "x", "b": "y", "label": "Yes"}, {"a": "x", "b": "z", "label": 0}]
    task = _declared(tmp_path, DECLARED, rows)
    samples = _samples(task)
    assert [sample.gold for sample in samples] == ["yes", "no"]
    assert task.requests(samples[0]) == [Classify(text="x", text_pair="y")]
    assert [metric.name for metric in task.metrics][:4] == ["acc", "macro_f1", "mcc", "precision_no"]


def test_a_declared_task_may_give_several_labels_or_a_number(tmp_path: Path) -> None:
    several = DECLARED.replace("labels:", "problem: multi_label, labels:")
    task = _declared(tmp_path, several, [{"a": "x", "b": "y", "label": ["yes", "no"]}])
    assert _samples(task)[0].gold == '["no", "yes"]'
    number = DECLARED.replace("labels: ['no', 'yes']", "problem: regression")
    task = _declared(tmp_path, number, [{"a": "x", "b": "y", "label": "2.5"}])
    assert _samples(task)[0].gold == "2.5"
    assert [metric.name for metric in task.metrics] == ["pearson", "spearman", "mae"]


@pytest.mark.parametrize(
    ("old", "new", "label", "said"),
    [
        ("", "", "maybe", "row 1: field 'label' holds 'maybe', which is no index, no letter and none"),
        ("", "", 2, "none of the choices; there are 2, counted from 0"),
        ("gold: label", "gold: lable", "yes", "lacks lable"),
        (", labels: ['no', 'yes']", "", "yes", "labels is missing"),
        ("['no', 'yes']", "['no', 'No']", "no", "twice"),
        ("labels: ['no', 'yes']", "problem: regression", "high", "which is not a number"),
        ("labels: ['no', 'yes']", "problem: regression, labels: [a]", 1, "a regression has no labels"),
        ("labels:", "problem: multi_label, labels:", "yes", "is not a list of labels"),
        ("labels:", "num_fewshot: 2, labels:", "yes", "takes no exemplars"),
        ("labels:", "metrics: [acc, bleu], labels:", "yes", "bleu"),
    ],
)
def test_a_fault_in_a_declaration_or_its_data_is_told_in_one_line(
    tmp_path: Path, old: str, new: str, label: Any, said: str
) -> None:
    with pytest.raises(HarnessError) as caught:
        _samples(
            _declared(tmp_path, DECLARED.replace(old, new) if old else DECLARED, [{"a": "x", "b": "y", "label": label}])
        )
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
