"""Figures show what the tables beside them are made of."""

import math
from dataclasses import replace
from types import SimpleNamespace

import pytest

from harness.core import registry
from harness.core.headlines import headline_estimates, main_estimates
from harness.core.scores import Estimate, SampleGroup
from harness.report.figures import first_figures
from harness.report.words import Words

ACC = Estimate(
    suite="accuracy", task="piqa", metric="acc", value=0.5, stderr=0.05, low=0.4, high=0.6, n=100, unit="share",
    direction="higher", signature="",
)  # fmt: skip
SCORES = [
    ACC,
    replace(ACC, metric="acc_norm", value=0.6),
    replace(ACC, task="boolq", value=0.7),
    replace(ACC, task="boolq", metric="f1", unit="score", value=0.2),
    replace(ACC, task="boolq", group=SampleGroup("side", "left"), value=0.1),
    replace(ACC, suite="mine", task="own", metric="f1", value=0.3),
    replace(ACC, suite="mine", task="own", value=0.4),
]


def test_what_is_shown_of_single_tasks_adds_up_to_the_score_of_their_dimension() -> None:
    (headline,) = headline_estimates([registry.suite("accuracy")], SCORES, "")
    shown = main_estimates([*SCORES, headline])
    assert [(one.task, one.metric) for one in shown] == [("piqa", "acc_norm"), ("boolq", "acc"), ("own", "f1")]
    mine = [one.value for one in shown if one.suite == "accuracy"]
    assert headline.value == pytest.approx(math.fsum(mine) / len(mine))
    context = SimpleNamespace(estimates=[*SCORES, headline], words=Words("en"))
    (figure,) = first_figures(context)
    assert figure.caption.startswith(
        "Right answers by task (accuracy (by length), accuracy): each by the metric that enters the score"
    )
    assert figure.alternative.endswith(
        "PIQA (physical commonsense): 0.6000 (0.4000 to 0.6000); BoolQ (yes or no): 0.7000 (0.4000 to 0.6000)"
    )


def test_a_task_that_enters_no_score_is_shown_by_its_first_metric() -> None:
    assert [one.metric for one in main_estimates(SCORES)] == ["acc", "acc", "f1"]
