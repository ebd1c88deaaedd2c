import math
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from datasets import Dataset
from hypothesis import assume, given
from hypothesis import strategies as st
from lm_eval.api.metrics import bits_per_byte
from lm_eval.api.task import ConfigurableTask

from harness.core.datasets import Row
from harness.core.errors import DataError, TaskError
from harness.core.models import TOLERANCE_NATS
from harness.core.requests import Loglikelihood, Response
from harness.core.tasks import Sample, TaskSettings
from harness.metrics.standard import GOLD_BITS_PER_BYTE
from harness.tasks.choices import MultipleChoice, pick


class Capitals(MultipleChoice):
    """A few capitals."""

    name = "capitals"

    def question(self, row: Row) -> str:
        return f"Question: {row['question']}\nAnswer:"

    def choices(self, row: Row) -> Sequence[str]:
        return row["choices"]

    def gold(self, row: Row) -> int:
        return row["gold"]

    def cluster(self, row: Row) -> str | None:
        return row.get("country")


ROWS = [
    {"question": f"Capital {n}?", "choices": [f"town {n}", f"village {n}", f"city {n}"], "gold": n % 3}
    for n in range(12)
]


def _settings(limit: int | None = None, num_fewshot: int = 0) -> TaskSettings:
    return TaskSettings(limit=limit, num_fewshot=num_fewshot, seed=0)


def _answers(sample: Sample, likelihoods: Sequence[float | None]) -> list[Response]:
    requests = Capitals().requests(sample)
    return [
        Response(request_id=request.id, loglikelihood=value, invalid=None if value is not None else "NaN logits")
        for request, value in zip(requests, likelihoods, strict=True)
    ]


def _scores(choices: Sequence[str], gold: int, likelihoods: Sequence[float]) -> dict[str, Any]:
    sample = Sample(id="1", prompt="Q", choices=tuple(choices), gold=gold)
    return {score.metric: score for score in Capitals().score(sample, _answers(sample, likelihoods))}


@pytest.fixture(scope="module")
def lm_eval_task() -> ConfigurableTask:
    doc = {"question": "q", "choices": ["a", "b"], "gold": 0}
    return ConfigurableTask(
        config={
            "task": "capitals",
            "custom_dataset": lambda **_: {"test": Dataset.from_list([doc])},
            "test_split": "test",
            "output_type": "multiple_choice",
            "doc_to_text": "Question: {{question}}\nAnswer:",
            "doc_to_choice": "choices",
            "doc_to_target": "gold",
            "metric_list": [
                {"metric": name, "aggregation": "mean", "higher_is_better": True} for name in ("acc", "acc_norm")
            ],
        }
    )


@given(
    st.lists(st.tuples(st.text(min_size=1, max_size=30), st.floats(-200, -0.01)), min_size=2, max_size=6),
    st.data(),
)
def test_acc_and_acc_norm_are_lm_evals(
    lm_eval_task: ConfigurableTask, drawn: list[tuple[str, float]], data: st.DataObject
) -> None:
    choices, likelihoods = [choice for choice, _ in drawn], [value for _, value in drawn]
    gold = data.draw(st.integers(0, len(choices) - 1))
    scores = _scores(choices, gold, likelihoods)
    del scores["gold_bits_per_byte"]
    assume(not any(score.tie for score in scores.values()))
    assume(len(set(choices)) == len(choices))
    doc = {"question": "q", "choices": choices, "gold": gold}
    truth = lm_eval_task.process_results(doc, [(value, False) for value in likelihoods])
    assert {name: score.value for name, score in scores.items()} == truth


def test_the_requests_are_lm_evals(lm_eval_task: ConfigurableTask) -> None:
    row = {"question": "Capital?", "choices": ["Rome", "Paris"], "gold": 1}
    doc_requests = lm_eval_task.construct_requests(
        row, lm_eval_task.doc_to_text(row), apply_chat_template=False, metadata=("capitals", 0, 1)
    )
    task = Capitals()
    ours = task.requests(task.sample(row))
    assert [(request.context, request.continuation) for request in ours] == [each.args for each in doc_requests]


@pytest.mark.parametrize("normalised", [False, True])
def test_of_choices_closer_than_rounding_the_first_is_taken_and_marked(normalised: bool) -> None:
    choices = ["aaaa", "bbbb", "cccc"]
    near = pick([-5.0, -1.0 - 0.9 * TOLERANCE_NATS, -1.0], choices, normalised=normalised)
    assert (near.index, near.tie) == (1, True)
    clear = pick([-5.0, -1.0 - 1.1 * TOLERANCE_NATS, -1.0], choices, normalised=normalised)
    assert (clear.index, clear.tie) == (2, False)


@given(
    st.lists(st.floats(-50, -0.01), min_size=2, max_size=5),
    st.lists(st.floats(-TOLERANCE_NATS / 2, TOLERANCE_NATS / 2), min_size=5, max_size=5),
    st.lists(st.integers(1, 40), min_size=5, max_size=5),
    st.booleans(),
)
def test_rounding_changes_a_choice_only_where_it_is_marked_or_about_to_be(
    likelihoods: list[float], noise: list[float], lengths: list[int], normalised: bool
) -> None:
    choices = [chr(ord("a") + index) * length for index, length in enumerate(lengths[: len(likelihoods)])]
    before = pick(likelihoods, choices, normalised=normalised)
    noisy = [value + extra * 0.99 for value, extra in zip(likelihoods, noise, strict=False)]
    after = pick(noisy, choices, normalised=normalised)
    assert before.index == after.index or before.tie or after.tie


def test_a_repeated_choice_is_no_tie() -> None:
    assert pick([-1.0, -1.0, -3.0], ["same", "same", "other"], normalised=False).tie is False


def test_an_invalid_response_makes_every_score_of_the_sample_invalid_with_its_reason() -> None:
    sample = Sample(id="7", prompt="Q", choices=("a", "b"), gold=0, cluster="c")
    scores = Capitals().score(sample, _answers(sample, [-1.0, None]))
    assert [score.metric for score in scores] == ["acc", "acc_norm", "gold_bits_per_byte"]
    assert all(score.value is None and score.invalid == "NaN logits" and score.cluster == "c" for score in scores)


def test_bits_per_byte_of_right_answers_are_lm_evals_of_the_same_likelihoods() -> None:
    asked = [(["ja", "né", "弃权"], 1, [-1.0, -2.5, -9.0]), (["ja", "né", "弃权"], 2, [-1.0, -2.5, -9.0])]
    scores = [_scores(*one)["gold_bits_per_byte"] for one in asked]
    assert [(score.value, score.weight) for score in scores] == [(2.5, 3), (9.0, 6)]
    found = GOLD_BITS_PER_BYTE.reduce(scores, Random(0))
    assert found.value == pytest.approx(11.5 / 9 / math.log(2))
    assert found.value == pytest.approx(bits_per_byte([(-2.5, 3), (-9.0, 6)]))
    assert found.low is not None
    assert found.low < found.value


def test_scores_carry_gold_and_predicted_labels() -> None:
    score = _scores(["a", "b", "c"], 2, [-3.0, -1.0, -2.0])["acc"]
    assert (score.gold, score.predicted, score.value) == ("2", "1", 0.0)


def test_exemplars_are_the_same_for_every_sample_and_never_evaluated() -> None:
    samples = Capitals().samples(ROWS, _settings(num_fewshot=2))
    shared = {sample.prompt.rsplit("\n\n", 1)[0] for sample in samples}
    assert len(shared) == 1
    first, second = shared.pop().split("\n\n")
    for exemplar in (first, second):
        number = int(exemplar.split("Capital ")[1].split("?")[0])
        assert exemplar == f"Question: Capital {number}?\nAnswer: {ROWS[number]['choices'][number % 3]}"  # type: ignore[index]
        assert str(number) not in {sample.id for sample in samples}
    assert len(samples) == 10
    assert all(sample.prompt.endswith("?\nAnswer:") for sample in samples)


def test_a_continuation_is_the_choice_after_one_space() -> None:
    task = Capitals()
    (sample,) = task.samples(ROWS, _settings(limit=1))
    assert task.requests(sample)[0] == Loglikelihood(context=sample.prompt, continuation=f" town {int(sample.id)}")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"gold": 3}, "gold index 3 is out of range"),
        ({"gold": -1}, "gold index -1 is out of range"),
        ({"choices": ["only"], "gold": 0}, "at least two choices"),
        ({"choices": ["a", ""], "gold": 0}, "none of them empty"),
    ],
)
def test_a_row_that_cannot_be_scored_is_named(change: dict[str, Any], problem: str) -> None:
    rows = [ROWS[0], {**ROWS[1], **change}]
    with pytest.raises(DataError, match=problem) as caught:
        Capitals().samples(rows, _settings())
    assert caught.value.place == "capitals, row 2"


def test_a_missing_field_is_named_with_those_that_are_there() -> None:
    with pytest.raises(DataError, match=r"row 1: has no field 'gold'\. It has question, choices"):
        Capitals().samples([{"question": "q", "choices": ["a", "b"]}], _settings())


def test_more_exemplars_than_rows_are_refused() -> None:
    with pytest.raises(TaskError, match="12 exemplars leave none of its 12 rows"):
        Capitals().samples(ROWS, _settings(num_fewshot=12))


def test_no_rows_are_refused() -> None:
    with pytest.raises(DataError, match="no row"):
        Capitals().samples([], _settings())
