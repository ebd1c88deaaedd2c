import pytest

from harness.core.datasets import Row
from harness.core.errors import DataError
from harness.core.requests import GenerateUntil, Response
from harness.core.tasks import TaskSettings
from harness.tasks.generation import Generation


class Echo(Generation):
    """Echoes."""

    name = "echo"
    max_tokens = 5

    def question(self, row: Row) -> str:
        return f"Say {row['word']}:"

    def reference(self, row: Row) -> str:
        return str(row["word"])


ROWS = [{"word": "red"}, {"word": "green"}, {"word": "blue"}]


def test_the_prompt_shows_exemplars_with_their_references() -> None:
    (sample,) = Echo().samples(ROWS, TaskSettings(limit=1, num_fewshot=2, seed=0))
    *exemplars, question = sample.prompt.split("\n\n")
    assert sorted([*exemplars, f"{question} {sample.gold}"]) == ["Say blue: blue", "Say green: green", "Say red: red"]


def test_the_request_is_greedy_and_stops_at_the_line() -> None:
    (sample,) = Echo().samples(ROWS[:1], TaskSettings(limit=1, num_fewshot=0, seed=0))
    assert Echo().requests(sample) == [GenerateUntil(context="Say red:", until=("\n",), max_tokens=5)]


@pytest.mark.parametrize(("text", "value"), [(" red", 1.0), ("red \n", 1.0), ("Red", 0.0), ("red.", 0.0), ("", 0.0)])
def test_an_exact_match_ignores_space_around_the_text_only(text: str, value: float) -> None:
    (sample,) = Echo().samples(ROWS[:1], TaskSettings(limit=1, num_fewshot=0, seed=0))
    (score,) = Echo().score(sample, [Response(request_id="x", text=text)])
    assert (score.metric, score.value, score.gold, score.predicted) == ("exact_match", value, "red", text.strip())


def test_an_invalid_response_makes_the_score_invalid() -> None:
    (sample,) = Echo().samples(ROWS[:1], TaskSettings(limit=1, num_fewshot=0, seed=0))
    (score,) = Echo().score(sample, [Response(request_id="x", invalid="NaN logits")])
    assert (score.value, score.predicted, score.invalid) == (None, None, "NaN logits")


def test_an_empty_reference_is_refused_by_row() -> None:
    with pytest.raises(DataError, match="echo, row 1: the reference is empty"):
        Echo().samples([{"word": " "}], TaskSettings(limit=None, num_fewshot=0, seed=0))
