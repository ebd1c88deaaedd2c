"""Token ids against lm-evaluation-harness's own functions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lm_eval.utils import get_rolling_token_windows, make_disjoint_window
from tokenizers.processors import TemplateProcessing

from harness.core.errors import ModelError
from harness.core.requests import GenerateUntil, Loglikelihood, LoglikelihoodRolling
from harness.engine.encoding import Encoder, rolling_windows
from tests.tiny import build_tiny_tokenizer


@pytest.fixture(scope="module")
def tokenizer():
    return build_tiny_tokenizer()


@given(st.lists(st.integers(5, 9), max_size=40).map(tuple), st.integers(1, 12))
def test_windows_are_those_of_lm_eval(tokens, max_length):
    theirs = [
        make_disjoint_window(window)
        for window in get_rolling_token_windows(list(tokens), prefix_token=1, max_seq_len=max_length, context_len=1)
    ]
    ours = rolling_windows(tokens, prefix_id=1, max_length=max_length, stride=None)
    assert [(reading.inputs, reading.targets) for reading in ours] == [
        (tuple((context + continuation)[:-1]), tuple(continuation)) for context, continuation in theirs
    ]


@given(st.lists(st.integers(5, 9), max_size=60).map(tuple), st.integers(1, 12), st.data())
def test_strided_windows_predict_each_token_once_with_the_context_before_it(tokens, max_length, data):
    stride = data.draw(st.integers(1, max_length))
    stream = (1, *tokens)
    predicted = []
    for reading in rolling_windows(tokens, prefix_id=1, max_length=max_length, stride=stride):
        assert len(reading.targets) <= len(reading.inputs) <= max_length
        predicted += reading.targets
        end = len(predicted)
        assert reading.inputs == stream[max(0, end - max_length) : end]
    assert tuple(predicted) == tokens


def test_a_stride_longer_than_the_window_is_refused():
    with pytest.raises(ModelError, match="stride of 9"):
        rolling_windows((1, 2), prefix_id=0, max_length=8, stride=9)


@pytest.mark.parametrize(
    ("context", "continuation"),
    [
        ("Question: where?\nAnswer:", " over the lazy dog"),
        ("Question: where?\nAnswer: ", "over the lazy dog"),
        ("中文也要", "能分词"),
        ("ends in spaces   ", "x"),
    ],
)
def test_pairs_are_cut_as_lm_eval_cuts_them(tokenizer, context, continuation):
    from lm_eval.models.huggingface import HFLM

    (reading,) = Encoder(tokenizer, 256).loglikelihoods([Loglikelihood(context=context, continuation=continuation)])
    lm = HFLM.__new__(HFLM)
    lm.tokenizer, lm.backend, lm.add_bos_token, lm.custom_prefix_token_id = tokenizer, "causal", None, None
    their_context, their_continuation = lm._encode_pair(context, continuation)
    assert reading.inputs == tuple((their_context + their_continuation)[:-1])
    assert reading.targets == tuple(their_continuation)


def test_where_context_and_continuation_melt_the_text_is_read_and_scored_as_a_whole(tokenizer):
    (reading,) = Encoder(tokenizer, 256).loglikelihoods([Loglikelihood(context="the quick brow", continuation="n fox")])
    alone = tokenizer("the quick brow").input_ids
    whole = tokenizer("the quick brown fox").input_ids
    assert whole[: len(alone)] != alone
    assert (*reading.inputs, reading.targets[-1]) == tuple(whole)
    assert tokenizer.decode(reading.targets).endswith("n fox")


def test_an_empty_context_is_the_beginning_of_text(tokenizer):
    encoder = Encoder(tokenizer, 256)
    (reading,) = encoder.loglikelihoods([Loglikelihood(context="", continuation="the dog")])
    assert reading.inputs[0] == tokenizer.bos_token_id
    assert reading.targets == tuple(tokenizer("the dog", add_special_tokens=False).input_ids)


def test_a_long_context_loses_its_beginning(tokenizer):
    (reading,) = Encoder(tokenizer, 8).loglikelihoods([Loglikelihood(context="word " * 50, continuation=" dog")])
    assert len(reading.inputs) == 8
    whole = tuple(tokenizer(("word " * 50).rstrip() + "  dog").input_ids)
    assert reading.inputs == whole[-9:-1]


def test_the_beginning_of_text_is_never_given_twice():
    tokenizer = build_tiny_tokenizer()
    from tokenizers.processors import TemplateProcessing

    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    encoder = Encoder(tokenizer, 256)
    (pair,) = encoder.loglikelihoods([Loglikelihood(context="the dog", continuation=" ran")])
    (marked,) = encoder.loglikelihoods([Loglikelihood(context="<s>the dog", continuation=" ran")])
    ((window,),) = encoder.rolling([LoglikelihoodRolling(text="the dog ran")])
    (prompt,) = encoder.prompts([GenerateUntil(context="<s>the dog")])
    assert pair == marked
    for tokens in (pair.inputs, window.inputs, prompt):
        assert tokens.count(1) == 1
        assert tokens[0] == 1


def test_a_window_smaller_than_the_one_asked_for_still_overlaps(tokenizer):
    request = LoglikelihoodRolling(text="the dog ran home " * 20, max_length=512, stride=256)
    (windows,) = Encoder(tokenizer, 16).rolling([request])
    assert all(len(window.inputs) == 16 for window in windows[:-1])
    assert all(len(window.targets) == 8 for window in windows[1:-1])


def test_prompts_leave_room_for_what_is_written(tokenizer):
    (prompt,) = Encoder(tokenizer, 16).prompts([GenerateUntil(context="word " * 50, max_tokens=10)])
    assert len(prompt) == 6


@pytest.mark.parametrize(
    ("added", "same_as"), [("<s> $A </s>", "<s> $A"), ("$A </s>", "$A"), ("<s> $A </s> </s>", "<s> $A")]
)
def test_what_a_tokenizer_adds_behind_a_text_is_neither_scored_nor_written_after(added, same_as):
    encoders = []
    for template in (added, same_as):
        tokenizer = build_tiny_tokenizer()
        tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
            single=template, special_tokens=[("<s>", 1), ("</s>", 2)]
        )
        encoders.append(Encoder(tokenizer, 256))
    found, expected = encoders
    pairs = [
        Loglikelihood(context=context, continuation=" over the lazy dog")
        for context in ("", "Where?", "Where?  ", "<s>Where?</s>", "it ends in </s>")
    ]
    assert found.loglikelihoods(pairs) == expected.loglikelihoods(pairs)
    prompts = [GenerateUntil(context=pair.context) for pair in pairs]
    assert found.prompts(prompts) == expected.prompts(prompts)
    text = [LoglikelihoodRolling(text="over the lazy dog </s>")]
    assert found.rolling(text) == expected.rolling(text)
