"""Pseudo-perplexity by hand."""

import math

import pytest

from harness.core.errors import DataError
from harness.core.requests import PseudoLoglikelihood, Response
from harness.core.tasks import Sample, TaskSettings
from harness.run.judgement import estimate_metric
from harness.tasks.pseudo import PSEUDO_TOKEN_PERPLEXITY, PSEUDO_WORD_PERPLEXITY, PseudoPerplexity


class Sentences(PseudoPerplexity):
    name = "sentences"

    def text(self, row):
        return row["text"]


ROWS = [{"text": "one two three"}, {"text": "four"}]
SETTINGS = TaskSettings(limit=None, num_fewshot=0, seed=0)


def test_nats_are_spread_over_the_tokens_and_over_the_words():
    task = Sentences()
    samples = task.samples(ROWS, SETTINGS)
    assert [task.requests(sample) for sample in samples] == [[PseudoLoglikelihood(text=row["text"])] for row in ROWS]
    answers = [(-6.0, 5), (-2.0, 3)]
    scores = [
        score
        for sample, (nats, tokens) in zip(samples, answers, strict=True)
        for score in task.score(sample, [Response(request_id="", loglikelihood=nats, token_count=tokens)])
    ]
    values = [
        estimate_metric(
            metric,
            [score for score in scores if score.metric == metric.name],
            suite="",
            task="",
            seed=0,
            signature="",
        ).value
        for metric in (PSEUDO_TOKEN_PERPLEXITY, PSEUDO_WORD_PERPLEXITY)
    ]
    assert values == pytest.approx([math.exp(8 / 8), math.exp(8 / 4)])


def test_no_answer_is_no_score():
    scores = Sentences().score(Sample(id="0", prompt="one"), [Response(request_id="", invalid="too large")])
    assert [(score.value, score.invalid) for score in scores] == [(None, "too large")] * 2


def test_an_empty_text_is_refused():
    with pytest.raises(DataError, match="empty"):
        Sentences().samples([{"text": " "}], SETTINGS)
