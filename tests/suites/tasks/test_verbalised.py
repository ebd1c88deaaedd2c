"""The confidence that a model states: how it is read, and what is made of it."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.datasets import Row
from harness.core.errors import TaskError
from harness.core.requests import GenerateUntil, Loglikelihood, Request, Response
from harness.engine.kinds.scripted import ScriptedModel
from harness.suitefiles.selection import select
from harness.tasks.generation import Generation
from harness.tasks.options import TaskOptions
from suites.calibration.verbalised import VerbalisedTask, stated_confidence
from suites.chinese.xiehouyu import Xiehouyu
from tests.suites.scripts import scores_of, value_of
from tests.suites.tasks.test_calibration_task import SUMS, Sums


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90%", 0.9), (" 90 %.", 0.9), ("100", 1.0), ("0", 0.0), ("85.5", 0.855), ("0.5%", 0.005), ("1%", 0.01)],
)
def test_a_number_of_percent_is_read(text: str, expected: float) -> None:
    assert stated_confidence(text) == pytest.approx(expected)


@pytest.mark.parametrize(
    "text", ["", "high", "101%", "-5%", "0.9", "1.0", "90% sure", "90-95%", "ninety", "9 0", "1e2"]
)
def test_what_is_no_number_of_percent_is_not_read(text: str) -> None:
    assert stated_confidence(text) is None


@given(st.text())
def test_whatever_is_read_is_a_probability(text: str) -> None:
    assert 0 <= (stated_confidence(text) or 0.0) <= 1


def speaker(said: Callable[[int, bool], str]) -> ScriptedModel:
    """Chooses the right sum of even numbers, the first choice of odd ones, and says what it is told about that."""

    def script(request: Request) -> Response:
        if isinstance(request, Loglikelihood):
            n, choice = int(request.context.split()[0]), int(request.continuation)
            return Response(request_id=request.id, loglikelihood=-1.0 if choice == n + 1 - n % 2 else -2.0)
        assert isinstance(request, GenerateUntil)
        n = int(request.context.split()[0])
        right = request.context.startswith(f"{n} + 1 = {n + 1}\n")
        return Response(request_id=request.id, text=said(n, right), token_count=1)

    return ScriptedModel(script)


def test_the_controls_of_a_task_are_no_choices() -> None:
    rows: list[Row] = [
        {"riddle": "泥菩萨过江", "ending": "自身难保", "distractors": ["一清二白", "有去无回", "不知死活"]}
    ]

    def script(request: Request) -> Response:
        if isinstance(request, Loglikelihood):
            likely = request.continuation == "自身难保"
            return Response(request_id=request.id, loglikelihood=-1.0 if likely else -9.0)
        assert isinstance(request, GenerateUntil)
        assert "自身难保" in request.context
        return Response(request_id=request.id, text="80%", token_count=1)

    task = VerbalisedTask(Xiehouyu())
    found = scores_of(task, ScriptedModel(script), rows)
    assert [one.value for one in found if one.metric in ("acc", "confidence_stated")] == [1.0, 1.0]


def test_the_scores_are_those_of_what_the_model_said_of_the_answer_it_gave() -> None:
    task = VerbalisedTask(Sums())
    # Of 40: 20 right at 90 %, 10 wrong at 60 %, 10 wrong without a number.
    found = scores_of(task, speaker(lambda n, right: " 90%" if right else " 60%" if n % 4 == 1 else " no idea"), SUMS)
    values = {metric.name: value_of(task, metric.name, found) for metric in task.metrics}
    assert values["confidence_stated"] == pytest.approx(30 / 40)
    assert values["acc"] == pytest.approx(20 / 30)
    assert values["overconfidence"] == pytest.approx(0.8 - 20 / 30)
    assert values["ece_equal_width"] == pytest.approx((20 * 0.1 + 10 * 0.6) / 30)
    assert values["brier_stated"] == pytest.approx((20 * 0.1**2 + 10 * 0.6**2) / 30)
    assert values["confidence_auroc"] == 1.0
    assert not [score for score in found if score.invalid]


class Capitals(Generation):
    """Capitals."""

    name = "capitals"

    def question(self, row: Row) -> str:
        return f"The capital of {row['land']} is"

    def reference(self, row: Row) -> str:
        return str(row["capital"])


def writes(answers: Sequence[str]) -> ScriptedModel:
    def script(request: Request) -> Response:
        assert isinstance(request, GenerateUntil)
        text = answers[1] if "Confidence:" in request.context else answers[0]
        return Response(request_id=request.id, text=text, token_count=1)

    return ScriptedModel(script)


def test_a_written_answer_is_right_where_it_equals_the_reference() -> None:
    task = VerbalisedTask(Capitals())
    rows = [{"land": "France", "capital": "Paris"}, {"land": "Peru", "capital": "Lima"}]
    found = scores_of(task, writes([" Paris", "80"]), rows)
    assert value_of(task, "acc", found) == 0.5
    assert value_of(task, "brier_stated", found) == pytest.approx((0.2**2 + 0.8**2) / 2)


def test_a_model_that_writes_nothing_is_not_asked_how_sure_it_is_of_it() -> None:
    found = scores_of(VerbalisedTask(Capitals()), writes(["", "80"]), [{"land": "Peru", "capital": "Lima"}])
    assert {score.invalid for score in found} == {"no answer was written"}


def test_any_task_with_right_answers_takes_the_prefix_and_no_other() -> None:
    chosen = {"limit": 5, "num_fewshot": None, "seed": 0, "options": TaskOptions()}
    (planned,) = select([], ["verbalised:boolq"], **chosen).planned  # type: ignore[arg-type]
    assert (planned.task.name, planned.task.data) == ("verbalised:boolq", "boolq")
    with pytest.raises(TaskError, match="right or wrong"):
        select([], ["verbalised:wikitext_sentences"], **chosen)  # type: ignore[arg-type]
