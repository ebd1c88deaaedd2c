"""The tasks that ask what others ask and judge the confidence of the answers."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import brier_score_loss

from harness.core.checkpoints import Checkpoint
from harness.core.datasets import Row
from harness.core.errors import TaskError, UnknownName
from harness.core.requests import Classify, Loglikelihood, Request, Response
from harness.core.tasks import TaskSettings
from harness.engine.kinds.scripted import ScriptedModel
from harness.run.work import phases, prepare
from harness.suitefiles.selection import PlannedTask, select
from harness.tasks.choices import MultipleChoice
from harness.tasks.options import TaskOptions
from suites.calibration.wrapper import CalibrationTask
from suites.chinese.xiehouyu import Xiehouyu
from tests.suites.scripts import scores_of, value_of
from tests.tasks.test_classification import Weather

Values = NDArray[np.float64]


class Sums(MultipleChoice):
    """Sums."""

    name = "sums"

    def question(self, row: Row) -> str:
        return str(row["q"])

    def choices(self, row: Row) -> Sequence[str]:
        return [str(choice) for choice in row["options"]]

    def gold(self, row: Row) -> int:
        return int(row["gold"])


SUMS: list[Row] = [{"q": f"{n} + 1 =", "options": [n, n + 1, n + 2], "gold": 1} for n in range(40)]


def chooser(probabilities: Callable[[Loglikelihood], float]) -> ScriptedModel:
    def script(request: Request) -> Response:
        assert isinstance(request, Loglikelihood)
        # Likelihoods of continuations don't sum to 1 over the choices.
        return Response(request_id=request.id, loglikelihood=math.log(probabilities(request) / 50))

    return ScriptedModel(script)


def unsure(request: Loglikelihood) -> float:
    """0.8 for the right sum of even numbers and for a wrong one of odd numbers, 0.1 for each other choice."""
    n, said = int(request.context.split()[0]), int(request.continuation)
    return 0.8 if said == (n + 1 if n % 2 == 0 else n) else 0.1


def test_the_scores_of_choices_are_those_of_the_softmax() -> None:
    task = CalibrationTask(Sums())
    found = scores_of(task, chooser(unsure), SUMS)
    values = {metric.name: value_of(task, metric.name, found) for metric in task.metrics}
    assert values["acc"] == pytest.approx(0.5)
    assert values["overconfidence"] == pytest.approx(0.3)
    assert values["ece"] == pytest.approx(0.3)
    assert values["brier"] == pytest.approx((0.2**2 + 2 * 0.1**2 + 0.8**2 + 0.9**2 + 0.1**2) / 2)
    assert values["nll"] == pytest.approx(-(math.log(0.8) + math.log(0.1)) / 2)
    assert values["confidence_auroc"] == pytest.approx(0.5)
    assert values["aurc"] == pytest.approx(0.5)
    # 0.8 : 0.1 : 0.1 must become 1/2 : 1/4 : 1/4.
    assert values["temperature"] == pytest.approx(math.log(8) / math.log(2))
    assert {score.groups["confidence"] for score in found} == {"0.7-0.8"}
    assert value_of(task, "acc", found, confidence="0.7-0.8") == pytest.approx(0.5)


def test_the_controls_of_a_task_are_no_choices() -> None:
    """A riddle's endings are asked with and without it: only the first four tell how sure the model is."""
    task, wrong = CalibrationTask(Xiehouyu()), ["一清二白", "有去无回", "不知死活"]
    rows: list[Row] = [{"riddle": "泥菩萨过江", "ending": "自身难保", "distractors": wrong}]

    def likely(request: Request) -> Response:
        assert isinstance(request, Loglikelihood)
        value = math.log(0.7 if request.continuation == "自身难保" else 0.1) - 3
        return Response(request_id=request.id, loglikelihood=value)

    found = scores_of(task, ScriptedModel(likely), rows)
    assert [one.value for one in found if one.metric == "brier"] == [pytest.approx(0.3**2 + 3 * 0.1**2)]
    assert [one.value for one in found if one.metric == "acc"] == [1.0]


def test_what_is_asked_for_accuracy_is_not_asked_again() -> None:
    class FewSums(Sums):
        def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Any:
            return super().samples(SUMS, settings)

    plain = FewSums()
    chosen = TaskSettings(limit=10, num_fewshot=2, seed=3)
    work = prepare(
        [
            PlannedTask(suite="accuracy", task=plain, settings=chosen),
            PlannedTask(suite="calibration", task=CalibrationTask(plain), settings=chosen),
        ],
        offline=True,
    )
    assert work[0].requests == work[1].requests
    assert [(phase.name, len(phase.requests)) for phase in phases(work)] == [("accuracy/loglikelihood", 30)]


def test_a_classifiers_confidence_is_its_own_probability() -> None:
    scores = {"MILD": 0.7, "cold": 0.2, "warm": 0.1}

    def script(request: Request) -> Response:
        assert isinstance(request, Classify)
        return Response(request_id=request.id, label_scores=scores)

    task = CalibrationTask(Weather())
    rows = [{"text": "a", "gold": "mild"}, {"text": "b", "gold": "warm"}]
    found = scores_of(task, ScriptedModel(script), rows)
    assert value_of(task, "overconfidence", found) == pytest.approx(0.7 - 0.5)
    assert value_of(task, "nll", found) == pytest.approx(-(math.log(0.7) + math.log(0.1)) / 2)


def test_a_probability_of_0_costs_much_but_not_everything() -> None:
    task = CalibrationTask(Weather())
    (sample,) = task.samples([{"text": "a", "gold": "mild"}], TaskSettings(limit=None, num_fewshot=0, seed=0))
    scores = task.score(sample, [Response(request_id="x", label_scores={"cold": 1.0, "mild": 0.0, "warm": 0.0})])
    (nll,) = [score.value for score in scores if score.metric == "nll"]
    assert nll == pytest.approx(-math.log(np.finfo(np.float32).tiny))


def test_an_answer_that_can_not_be_used_is_invalid_in_every_metric() -> None:
    task = CalibrationTask(Sums())
    (sample, *_) = task.samples(SUMS, TaskSettings(limit=None, num_fewshot=0, seed=0))
    answers = [Response(request_id="x", loglikelihood=-1.0), *[Response(request_id="x", invalid="NaN")] * 2]
    assert [score.invalid for score in task.score(sample, answers)] == ["NaN"] * len(task.metrics)


def test_a_classifier_of_several_labels_a_text_is_refused() -> None:
    common: dict[str, Any] = dict.fromkeys(("architecture", "dtype", "origin", "fingerprint", "ref"), "x")
    several = Checkpoint(
        **common,
        kind="classifier",
        path=Path(),
        parameter_count=1,
        size_bytes=1,
        max_length=8,
        has_chat_template=False,
        files={},
        labels=Weather.labels,
        config={"problem_type": "multi_label_classification"},
    )
    assert "no confidence in a single choice" in str(CalibrationTask(Weather()).refusal(several))


def test_any_task_with_choices_is_judged_by_a_prefix() -> None:
    selection = select([], ["calibration:boolq"], limit=5, num_fewshot=None, seed=0, options=TaskOptions())
    (planned,) = selection.planned
    assert (planned.task.name, planned.task.data, planned.settings.limit) == ("calibration:boolq", "boolq", 5)


def test_a_task_without_choices_or_a_name_nobody_knows_is_refused() -> None:
    with pytest.raises(TaskError, match="calibration:wikitext_sentences: confidence is that of choices"):
        select([], ["calibration:wikitext_sentences"], limit=5, num_fewshot=None, seed=0, options=TaskOptions())
    with pytest.raises(UnknownName, match="did you mean"):
        select([], ["calibration:boolqq"], limit=5, num_fewshot=None, seed=0, options=TaskOptions())


@given(st.integers(0, 10_000), st.integers(2, 5))
@settings(max_examples=10, deadline=None)
def test_the_brier_score_over_all_choices_is_scikit_learns(seed: int, count: int) -> None:
    generator = np.random.default_rng(seed)
    probabilities = generator.dirichlet(np.ones(count), size=30)
    rows = [{"q": f"{n} + 1 =", "options": [str(k) for k in range(count)], "gold": n % count} for n in range(30)]
    model = chooser(lambda asked: probabilities[int(asked.context.split()[0]), int(asked.continuation)])
    found = scores_of(CalibrationTask(Sums()), model, rows)
    expected = brier_score_loss([n % count for n in range(30)], probabilities, labels=range(count), scale_by_half=False)
    assert value_of(CalibrationTask(Sums()), "brier", found) == pytest.approx(expected)
