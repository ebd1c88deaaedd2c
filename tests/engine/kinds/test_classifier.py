"""The classifier engine against the plain forward pass of transformers, one text at a time."""

import random
from dataclasses import replace

import pytest
import torch
from transformers import (
    AutoModelForSequenceClassification,
    BartConfig,
    BertConfig,
    LlamaConfig,
    RobertaConfig,
)

from harness.checkpoints.labels import with_labels
from harness.core.errors import HarnessError
from harness.core.models import respond
from harness.core.requests import Classify, GenerateUntil
from harness.engine.kinds.classifier import ClassifierModel
from tests import tiny
from tests.engine.labelled import opened
from tests.engine.reference import answers

TEXTS = [
    "a wonderful film",
    "She said that he would never go home again; they both laughed and walked on through the rain.",
    "",
    "中文也要能分词。",
    "terrible music " * 80,
    "x",
]
REQUESTS = [
    *(Classify(text=text) for text in TEXTS),
    *(Classify(text=text, text_pair=other) for text in TEXTS for other in ("by the river bank", TEXTS[1])),
]
SIZES = {
    "vocab_size": 400,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "num_labels": 3,
}
LLAMA = {**SIZES, "bos_token_id": 2, "eos_token_id": 3, "num_key_value_heads": 2}
CONFIGS = {
    "bert": BertConfig(**SIZES),
    "roberta": RobertaConfig(**{**SIZES, "max_position_embeddings": 65}),
    "llama": LlamaConfig(**LLAMA),
    "llama without padding": LlamaConfig(**{**LLAMA, "pad_token_id": None}),
    "bart": BartConfig(
        **{name: SIZES[name] for name in ("vocab_size", "max_position_embeddings", "pad_token_id", "num_labels")},
        d_model=32,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        bos_token_id=2,
        eos_token_id=3,
        decoder_start_token_id=3,
    ),
}


def build(folder, config):
    torch.manual_seed(0)
    return opened(folder, AutoModelForSequenceClassification.from_config(config), tiny.build_tiny_mask_tokenizer())


@pytest.fixture(scope="module", params=CONFIGS)
def loaded(request, tmp_path_factory):
    return build(tmp_path_factory.mktemp("classifier"), CONFIGS[request.param])


def plain(loaded, request):
    """The logits of one text by itself, nothing padded."""
    encoded = loaded.tokenizer(
        request.text, request.text_pair, truncation=True, max_length=loaded.max_length, return_tensors="pt"
    )
    with torch.no_grad():
        return loaded.model(**encoded).logits[0]


def test_probabilities_equal_the_plain_way_at_any_budget_and_order(loaded):
    for budget in (1, 100, 10_000):
        shuffled = random.Random(budget).sample(REQUESTS, len(REQUESTS))
        found = answers(ClassifierModel(loaded, batch_tokens=budget), shuffled)
        for request in REQUESTS:
            expected = plain(loaded, request).softmax(-1).tolist()
            assert list(found[request.id].label_scores.values()) == pytest.approx(expected, abs=1e-4)


def test_several_labels_are_scored_each_for_itself(tmp_path):
    loaded = build(tmp_path, BertConfig(**SIZES, problem_type="multi_label_classification"))
    found = answers(ClassifierModel(loaded, batch_tokens=100), REQUESTS)
    for request in REQUESTS:
        expected = plain(loaded, request).sigmoid().tolist()
        assert list(found[request.id].label_scores.values()) == pytest.approx(expected, abs=1e-4)


def test_a_regression_gives_its_value(tmp_path):
    loaded = build(tmp_path, BertConfig(**{**SIZES, "num_labels": 1}))
    found = answers(ClassifierModel(loaded, batch_tokens=100), REQUESTS)
    for request in REQUESTS:
        assert found[request.id].label_scores == {"LABEL_0": pytest.approx(plain(loaded, request).item(), abs=1e-4)}


def test_labels_are_named_by_the_config_or_by_the_user(tmp_path):
    loaded = build(tmp_path, BertConfig(**{**SIZES, "num_labels": 2}, id2label={0: "bad", 1: "good"}))
    assert loaded.checkpoint.labels == ("bad", "good")
    assert ClassifierModel(loaded, batch_tokens=100).labels == ("bad", "good")
    named = replace(loaded, checkpoint=with_labels(loaded.checkpoint, ["negative", "positive"]))
    assert ClassifierModel(named, batch_tokens=100).labels == ("negative", "positive")


@pytest.mark.parametrize("labels", [["a"], ["a", "b", "c"], ["a", "a"], ["a", ""]])
def test_labels_that_cannot_be_those_of_the_checkpoint_are_refused(tmp_path, labels):
    loaded = build(tmp_path, BertConfig(**{**SIZES, "num_labels": 2}))
    with pytest.raises(HarnessError, match=r"given|listed twice"):
        ClassifierModel(replace(loaded, checkpoint=with_labels(loaded.checkpoint, labels)), batch_tokens=100)


def test_nan_logits_make_answers_invalid_never_numbers(tmp_path):
    loaded = build(tmp_path, BertConfig(**SIZES))
    with torch.no_grad():
        loaded.model.classifier.weight[1] = float("nan")
    for response in respond(ClassifierModel(loaded, batch_tokens=100), REQUESTS):
        assert response.invalid == "the model's logits are NaN or infinite"
        assert response.label_scores is None


def test_texts_that_are_cut_into_the_same_tokens_are_read_once(tmp_path):
    loaded = build(tmp_path, BertConfig(**SIZES))
    long = [Classify(text="terrible music " * 80 + end) for end in ("a", "b")]
    (batch,) = ClassifierModel(loaded, batch_tokens=1000).plan(long)
    assert (batch.asked_token_count, batch.computed_token_count) == (128, 64)


def test_a_classifier_cannot_be_asked_to_write(tmp_path):
    with pytest.raises(HarnessError, match="generate_until"):
        ClassifierModel(build(tmp_path, BertConfig(**SIZES)), batch_tokens=100).plan([GenerateUntil(context="x")])
