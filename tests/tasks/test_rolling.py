from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lm_eval.api import metrics as lm_eval_metrics
from lm_eval.api.task import ConfigurableTask

from harness.core.datasets import Row
from harness.core.errors import DataError, TaskError
from harness.core.requests import LoglikelihoodRolling, Response
from harness.core.tasks import TaskSettings
from harness.tasks.rolling import RollingPerplexity

SETTINGS = TaskSettings(limit=None, num_fewshot=0, seed=0)
# Of scripts with spaces, but for two marks of Bopomofo's, which has none; and without space at the ends, where lm-eval
# counts an empty word.
spaced = st.characters(codec="utf-8", max_codepoint=0xDFF, exclude_characters="\u02ea\u02eb")
texts = st.text(spaced, min_size=1, max_size=80).map(str.strip).filter(bool)


class Lines(RollingPerplexity):
    """Lines."""

    name = "lines"

    def text(self, row: Row) -> str:
        return str(row["text"])


@given(st.lists(st.tuples(texts, st.floats(-90, -0.1), st.integers(1, 50)), min_size=2, max_size=8))
def test_perplexities_and_bits_per_byte_are_lm_evals(drawn: list[tuple[str, float, int]]) -> None:
    task = Lines()
    samples = task.samples([{"text": text} for text, _, _ in drawn], SETTINGS)
    scores = [
        score
        for sample, (_, value, tokens) in zip(samples, drawn, strict=True)
        for score in task.score(
            sample, [Response(request_id=task.requests(sample)[0].id, loglikelihood=value, token_count=tokens)]
        )
    ]
    ours = {
        metric.name: metric.reduce([score for score in scores if score.metric == metric.name], Random("a")).value
        for metric in task.metrics
    }
    words = [(value, ConfigurableTask.count_words(text)) for text, value, _ in drawn]
    octets = [(value, ConfigurableTask.count_bytes(text)) for text, value, _ in drawn]
    tokens = [(value, count) for _, value, count in drawn]
    assert ours == pytest.approx(
        {
            "token_perplexity": lm_eval_metrics.weighted_perplexity(tokens),
            "word_perplexity": lm_eval_metrics.weighted_perplexity(words),
            "byte_perplexity": lm_eval_metrics.weighted_perplexity(octets),
            "bits_per_byte": lm_eval_metrics.bits_per_byte(octets),
        },
        rel=1e-9,
    )


def test_a_text_is_asked_once_with_the_tasks_windows() -> None:
    class Strided(Lines):
        max_length, stride = 64, 32

    (sample,) = Strided().samples([{"text": "a b"}], SETTINGS)
    assert Strided().requests(sample) == [LoglikelihoodRolling(text="a b", max_length=64, stride=32)]


def test_an_invalid_response_makes_every_score_invalid_with_its_reason() -> None:
    (sample,) = Lines().samples([{"text": "a b"}], SETTINGS)
    scores = Lines().score(sample, [Response(request_id="x", invalid="NaN logits")])
    assert {score.metric for score in scores} <= {metric.name for metric in Lines.metrics}
    assert [(score.value, score.invalid) for score in scores] == [(None, "NaN logits")] * 4


def test_an_empty_text_is_refused_by_row() -> None:
    with pytest.raises(DataError, match="lines, row 2: the text is empty"):
        Lines().samples([{"text": "a"}, {"text": " \n"}], SETTINGS)


def test_exemplars_are_refused() -> None:
    with pytest.raises(TaskError, match="takes no exemplars"):
        Lines().samples([{"text": "a"}, {"text": "b"}], TaskSettings(limit=None, num_fewshot=1, seed=0))


@given(texts, st.sampled_from(["", " ", "\n", " \t\n"]), st.sampled_from(["", " ", "\n\n"]))
def test_space_at_the_ends_of_a_text_adds_no_word(text: str, before: str, after: str) -> None:
    def word_count(given: str) -> int:
        return Lines().units(given, Response(request_id="x", loglikelihood=-1.0, token_count=1))["word_perplexity"]

    assert word_count(before + text + after) == word_count(text.strip())


@pytest.mark.parametrize(("text", "expected"), [("我们去公园。 ", 6), ("สวัสดี", 4), ("Мы едем", 2), ("用 Python 写", 3)])
def test_each_character_is_a_word_where_a_script_has_no_spaces(text: str, expected: int) -> None:
    units = Lines().units(text, Response(request_id="x", loglikelihood=-1.0, token_count=1))
    assert units["word_perplexity"] == expected
