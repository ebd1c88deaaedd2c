"""What texts cost by domain and by word, on log-likelihoods that are known, and by a plain pass of a model."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import pytest
import torch

from harness.checkpoints import resolve
from harness.checkpoints.loading.loader import load_model
from harness.core.datasets import Row
from harness.core.requests import Request, Response, TokenLoglikelihoods
from harness.core.scores import Score
from harness.engine.kinds.causal import CausalModel
from harness.engine.kinds.scripted import ScriptedModel
from suites.long_tail.domains import TextsByDomain
from suites.perplexity.rarity import COMMON, NO_WORD, RARE, strata_of_tokens, strata_of_words
from tests.suites.scripts import scores_of, value_of

RARE_WORD = "zygote"


def rows_of(texts: Sequence[str], domain: str) -> list[Row]:
    return [{"domain": domain, "text": text} for text in texts]


def made(rare: int, number: int) -> str:
    """Forty words, some of them rare, and one more that isn't read."""
    return " ".join([*[RARE_WORD] * rare, *["the"] * (40 - rare), f"unread{number}"])


def by_word(bits: Callable[[str, str], float]) -> ScriptedModel:
    """A token a word, which costs as many `bits` as a function of the word and its text says."""

    def answer(request: Request) -> Response:
        assert isinstance(request, TokenLoglikelihoods)
        text = request.text
        ends = [place for place in range(len(text) + 1) if place == len(text) or text[place] == " "]
        nats = [-math.log(2) * bits(word, text) for word in text.split(" ")]
        return Response(
            request_id=request.id, token_loglikelihoods=tuple(nats), token_ends=tuple(ends), loglikelihood=sum(nats)
        )

    return ScriptedModel(answer)


def gap_of(scores: Sequence[Score]) -> tuple[float, float, float]:
    (metric,) = (one for one in TextsByDomain.metrics if one.name == "rare_word_gap")
    found = metric.reduce([one for one in scores if one.metric == metric.name], Random(0))
    assert found.low is not None
    assert found.high is not None
    return found.value, found.low, found.high


def test_bits_are_counted_by_domain_and_by_how_rare_a_word_is() -> None:
    task = TextsByDomain()
    rows = [
        *rows_of([made(10, number) for number in range(4)], "law"),
        *rows_of([made(20, number) for number in range(4)], "news"),
        *rows_of(["too short"], "news"),
    ]
    found = scores_of(task, by_word(lambda word, _: 15.0 if word == RARE_WORD else 3.0), rows)
    law_bytes, news_bytes = 10 * 7 + 30 * 4 - 1, 20 * 7 + 20 * 4 - 1
    assert value_of(task, "bits_per_byte", found, domain="law") == pytest.approx(240 / law_bytes)
    assert value_of(task, "bits_per_byte", found, domain="news") == pytest.approx(360 / news_bytes)
    assert value_of(task, "bits_per_word", found, frequency=RARE) == pytest.approx(15)
    assert value_of(task, "bits_per_word", found, frequency=COMMON) == pytest.approx(3)
    assert value_of(task, "bits_per_word", found, part="whole") == pytest.approx(300 / 40)


def test_the_gap_is_paired_so_that_a_text_which_is_hard_as_such_widens_nothing() -> None:
    rows = rows_of([f"{RARE_WORD}{number} " + made(10 + number % 3, number) for number in range(30)], "law")

    def gap(of_text: float) -> tuple[float, float, float]:
        """Where every word of a text costs as much more as the text is hard, or the rare ones alone."""

        def bits(word: str, text: str) -> float:
            rare, hard = word.startswith(RARE_WORD), 5.0 * Random(text).random()
            return hard * (rare or of_text) + 12.0 * rare

        return gap_of(scores_of(TextsByDomain(), by_word(bits), rows))

    both, one = gap(1.0), gap(0.0)
    assert both[0] == pytest.approx(12, abs=0.1)
    assert both[2] - both[1] < 0.25 * (one[2] - one[1])


def test_without_ends_of_tokens_texts_have_bits_per_byte_alone() -> None:
    def answer(request: Request) -> Response:
        return Response(request_id=request.id, token_loglikelihoods=(-1.0,) * 40, loglikelihood=-40.0)

    task, rows = TextsByDomain(), rows_of([made(10, number) for number in range(4)], "law")
    found = scores_of(task, ScriptedModel(answer), rows)
    assert {score.metric for score in found} == {"bits_per_byte"}


def test_the_nats_of_words_are_those_of_a_plain_pass(tiny_llama: Path) -> None:
    loaded = load_model(resolve(str(tiny_llama)), dtype="float32", device="cpu", trust_remote_code=False)
    text = "The quick, brown fox - of the well-known zygote. " * 5
    task = TextsByDomain()
    found = scores_of(task, CausalModel(loaded, batch_tokens=64), rows_of([text], "law"))
    read = " ".join(text.split(" ")[:40])
    encoded = loaded.tokenizer(read, add_special_tokens=False, return_offsets_mapping=True)
    ids = encoded["input_ids"]
    start = loaded.tokenizer.bos_token_id
    with torch.inference_mode():
        logits = loaded.model(torch.tensor([[start, *ids[:-1]]])).logits[0].double().log_softmax(-1)
    common = [one for one in found if one.metric == "bits_per_word" and one.groups.get("frequency") == COMMON]
    expected = sum(
        -float(logits[place, token])
        for place, (token, (_, end)) in enumerate(zip(ids, encoded["offset_mapping"], strict=True))
        if next(one for one in _spans(read) if end <= one[1])[2] in ("The", "of", "the")
    )
    assert common[0].value == pytest.approx(expected, abs=1e-3)


def _spans(text: str) -> list[tuple[int, int, str]]:
    spans, start = [], 0
    for word in text.split(" "):
        spans.append((start, start + len(word), word))
        start += len(word) + 1
    return spans


def test_a_token_counts_to_the_word_that_it_ends_in() -> None:
    words = strata_of_words("a zyg- .", {"a": 5000.0, "zyg": 1.0}.__getitem__)
    assert words == [(1, COMMON), (6, RARE), (8, NO_WORD)]
    assert strata_of_tokens(words, (1, 4, 6, 8)) == [COMMON, RARE, RARE, NO_WORD]
    assert strata_of_tokens(words, None) == []
