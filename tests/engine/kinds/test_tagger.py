"""The tagger engine against the plain forward pass of transformers, one sentence at a time."""

import random

import pytest
import torch
from transformers import AutoModelForTokenClassification, BertConfig, LlamaConfig, RobertaConfig

from harness.core.models import respond
from harness.core.requests import Tag
from harness.engine.kinds.tagger import TaggerModel
from tests import tiny
from tests.engine.labelled import opened

SENTENCES = [
    ("The", "committee", "met", "on", "Tuesday", "."),
    ("x",),
    ("unhappily", "Wolfeschlegelsteinhausenbergerdorff", "中文也要能分词"),
    ("She", "said", "that", "he", "would", "never", "go", "home", "again", ";"),
    ("The", "committee"),
]
LABELS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
SIZES = {
    "vocab_size": 400,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "id2label": dict(enumerate(LABELS)),
    "label2id": {label: index for index, label in enumerate(LABELS)},
}
CONFIGS = {
    "bert": (BertConfig(**SIZES), tiny.build_tiny_wordpiece),
    "roberta": (RobertaConfig(**{**SIZES, "max_position_embeddings": 65}), tiny.build_tiny_mask_tokenizer),
    "llama": (LlamaConfig(**SIZES, num_key_value_heads=2), tiny.build_tiny_sentencepiece),
}


def build(folder, name):
    config, tokenizer = CONFIGS[name]
    torch.manual_seed(0)
    return opened(folder, AutoModelForTokenClassification.from_config(config), tokenizer(), scale=8)


@pytest.fixture(scope="module", params=CONFIGS)
def loaded(request, tmp_path_factory):
    return build(tmp_path_factory.mktemp("tagger"), request.param)


def plain(loaded, words, **cut):
    """The label of each word's first sub-word, from one forward pass over the whole sentence alone."""
    encoded = loaded.tokenizer(list(words), is_split_into_words=True, return_tensors="pt", **cut)
    with torch.no_grad():
        best = loaded.model(**encoded).logits[0].argmax(-1).tolist()
    owners = encoded.word_ids(0)
    return tuple(
        loaded.model.config.id2label[best[owners.index(word)]] if word in owners else "O" for word in range(len(words))
    )


def tagged(loaded, sentences, budget=1000):
    found = {}
    for response in respond(TaggerModel(loaded, batch_tokens=budget), [Tag(words=words) for words in sentences]):
        found[response.request_id] = response
    return [found[Tag(words=words).id].tags for words in sentences]


def test_tags_equal_the_plain_way_at_any_budget_and_order(loaded):
    expected = {words: plain(loaded, words) for words in SENTENCES}
    assert len({tag for tags in expected.values() for tag in tags}) > 1
    for budget in (1, 40, 10_000):
        shuffled = random.Random(budget).sample(SENTENCES, len(SENTENCES))
        assert tagged(loaded, shuffled, budget) == [expected[words] for words in shuffled]


def test_every_word_has_one_tag_whatever_the_tokenizer_makes_of_it(loaded):
    odd = [(), ("\u200b",), ("a", "\x00", "b"), ("", "fox"), ("👩‍👩‍👧", "e\u0301", "İ")]
    for words, tags in zip(odd, tagged(loaded, odd), strict=True):
        assert len(tags) == len(words)


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return build(tmp_path_factory.mktemp("bert"), "bert")


def test_a_word_without_sub_words_moves_no_other_words_tag(bert):
    (with_gap,) = tagged(bert, [("The", "\x00", "committee", "met")])
    (without,) = tagged(bert, [("The", "committee", "met")])
    assert with_gap == (without[0], "O", *without[1:])


def test_a_long_sentence_is_read_in_windows_that_overlap_and_each_word_gets_its_tag_with_context_around(bert):
    rng = random.Random(0)
    words = tuple(rng.choices([word for sentence in SENTENCES for word in sentence], k=90))
    model = TaggerModel(bert, batch_tokens=10_000)
    (response,) = respond(model, [Tag(words=words)])
    windows = model._windows[Tag(words=words).id]
    assert all(len(window.row.tokens) <= 64 for window in windows)
    decided = sorted(word for window in windows for word in window.places)
    assert decided == list(range(90))
    whole = plain(bert, words, truncation=True, max_length=64)
    seen = max(word for word in bert.tokenizer(list(words), is_split_into_words=True).word_ids()[1:63]) + 1
    first = sorted(windows[0].places)
    assert seen // 2 < len(first) < seen
    assert [response.tags[word] for word in first] == [whole[word] for word in first]


def test_a_word_longer_than_the_window_still_has_a_tag(bert):
    (tags,) = tagged(bert, [("The", "committee " * 100, "met")])
    assert len(tags) == 3


def test_nan_logits_make_answers_invalid_never_labels(tmp_path):
    loaded = build(tmp_path, "bert")
    with torch.no_grad():
        loaded.model.classifier.bias[1] = float("nan")
    for response in respond(TaggerModel(loaded, batch_tokens=100), [Tag(words=words) for words in SENTENCES]):
        assert (response.tags, response.invalid) == (None, "the model's logits are NaN or infinite")


@pytest.mark.parametrize("empty_count", [0, 300])
def test_a_sentence_without_end_is_cut_in_time_that_grows_with_its_length(bert, monkeypatch, empty_count):
    """Windows are those of whole remainders, and yet the tokenizer reads each word a few times, not once a window."""
    rng = random.Random(1)
    words = (*rng.choices([word for sentence in SENTENCES for word in sentence], k=600), *["\x00"] * empty_count, "fox")
    model = TaggerModel(bert, batch_tokens=10_000)
    given = []
    read = model._reader.rows_of_words

    def reading(sentences, **settings):
        given.extend(len(sentence) for sentence in sentences)
        return read(sentences, **settings)

    monkeypatch.setattr(model._reader, "rows_of_words", reading)
    model._encode([Tag(words=words)])
    windows = model._windows[Tag(words=words).id]
    assert len(windows) > 20
    assert sum(given) < 12 * len(words)
    starts = range(min(windows[3].places) + 1)
    assert windows[3].row.tokens in [read([words[start:]], truncated=True)[0][0].tokens for start in starts]
