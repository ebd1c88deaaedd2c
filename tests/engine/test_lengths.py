"""Positions scaled by the length of the text: what is answered is transformers' answer to each text by itself."""

import random
from copy import deepcopy
from functools import cache

import pytest
import torch
from transformers import (
    CONFIG_MAPPING,
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
)

from harness.checkpoints import resolve
from harness.checkpoints.loading.loader import load_model
from harness.core.models import respond
from harness.core.requests import Classify, GenerateUntil, Loglikelihood, LoglikelihoodRolling
from harness.engine.kinds.causal import CausalModel
from harness.engine.kinds.classifier import ClassifierModel
from harness.engine.lengths import ALIKE, Lengths, tried_lengths
from tests.tiny import TEXT, _build, build_tiny_checkpoint, build_tiny_tokenizer

SWITCH = 96
TINY = {
    "vocab_size": 400,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 256,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 2,
}
LONG = {"rope_type": "longrope", "rope_theta": 10000.0, "original_max_position_embeddings": SWITCH}
LONG |= {"short_factor": [1.0, 1.1, 1.2, 1.3], "long_factor": [1.0, 2.0, 4.0, 8.0]}
PARTIAL = {**LONG, "partial_rotary_factor": 0.75, "short_factor": [1.0, 1.1, 1.2], "long_factor": [1.0, 3.0, 9.0]}
PHI = {**TINY, "original_max_position_embeddings": SWITCH}
DYNAMIC = {"rope_type": "dynamic", "rope_theta": 10000.0, "factor": 4.0}
MOE = {"num_local_experts": 4, "num_experts_per_tok": 2}
KINDS = {
    "phi3": ("phi3", {**PHI, "rope_parameters": LONG}),
    "phi4-mini": ("phi3", {**PHI, "rope_parameters": PARTIAL, "tie_word_embeddings": True}),
    "llama": ("llama", {**TINY, "rope_parameters": LONG}),
    "phimoe": ("phimoe", {**PHI, **MOE, "rope_parameters": {**LONG, "short_mscale": 1.0, "long_mscale": 1.3}}),
    "dynamic": ("llama", {**TINY, "max_position_embeddings": SWITCH, "rope_parameters": DYNAMIC}),
    "yarn": (
        "llama",
        {
            **TINY,
            "rope_parameters": {
                "rope_type": "yarn",
                "rope_theta": 1e4,
                "factor": 4.0,
                "original_max_position_embeddings": 64,
            },
        },
    ),
}
PASSAGE = " ".join(TEXT[:4])
SHARED = PASSAGE[:135]
PAIRS = [
    Loglikelihood(context=f"{SHARED} Question {number}: {word[::-1] * (number % 5)} {word}?", continuation=end)
    for number, word in enumerate(("the fox", "energy", "music", "a dog", "rain", "schools", "x", "river"))
    for end in (" the rain", " a wonderful film with terrible music")
]
TEXTS = [
    LoglikelihoodRolling(text=PASSAGE[:end], stride=stride) for end in (40, 150, 170, 300) for stride in (None, 32)
]
PROMPTS = [GenerateUntil(context=PASSAGE[:end], max_tokens=12) for end in (20, 190, 200, 220, 260)]


@pytest.fixture(scope="module", params=KINDS)
def loaded(request, tmp_path_factory):
    name, settings = KINDS[request.param]
    folder = build_tiny_checkpoint(tmp_path_factory.mktemp(name), config=CONFIG_MAPPING[name](**settings), scale=4)
    found = load_model(resolve(str(folder)), dtype="float32", device="cpu")
    # A window beyond the config's: what the positions are scaled by begins there for some.
    object.__setattr__(found, "max_length", 256)
    return found


@pytest.fixture(scope="module")
def plain(loaded):
    """Logits of one text by itself, from a model that never read another one."""
    untouched = AutoModelForCausalLM.from_config(loaded.model.config, dtype=torch.float32).eval()
    untouched.load_state_dict(loaded.model.state_dict())
    positions = untouched.model.rotary_emb

    def logits(tokens):
        untouched.model.rotary_emb = deepcopy(positions)
        with torch.inference_mode():
            return untouched(torch.tensor([tokens])).logits[0].double()

    return cache(logits)


def loglikelihood(plain, readings):
    total = 0.0
    for reading in readings:
        rows = plain(reading.inputs)[-len(reading.targets) :]
        total += rows.log_softmax(-1).gather(1, torch.tensor(reading.targets)[:, None]).sum().item()
    return total


def test_the_requests_lie_on_both_sides_of_the_switch(loaded):
    encoder = CausalModel(loaded, batch_tokens=1).encoder
    for readings in (encoder.loglikelihoods(PAIRS), [one for text in encoder.rolling(TEXTS) for one in text]):
        lengths = [len(reading.inputs) for reading in readings]
        assert min(lengths) < SWITCH - 10 < SWITCH + 10 < max(lengths)
    starts = [len(prompt) for prompt in encoder.prompts(PROMPTS)]
    assert any(start <= SWITCH < start + one.max_tokens for start, one in zip(starts, PROMPTS, strict=True))


def test_neither_batch_nor_order_changes_a_loglikelihood(loaded, plain):
    asked = [*PAIRS, *TEXTS]
    encoder = CausalModel(loaded, batch_tokens=1).encoder
    readings = [(one,) for one in encoder.loglikelihoods(PAIRS)] + encoder.rolling(TEXTS)
    expected = {request.id: loglikelihood(plain, read) for request, read in zip(asked, readings, strict=True)}
    for budget, share in ((1, 3), (10_000, 1), (10_000, 2)):
        model = CausalModel(loaded, batch_tokens=budget)
        for part in [random.Random(share).sample(asked, len(asked) // share)]:
            found = {response.request_id: response.loglikelihood for response in respond(model, part)}
            assert found == {one.id: pytest.approx(expected[one.id], abs=5e-4) for one in part}


def test_neither_batch_nor_order_changes_what_is_written(loaded, plain):
    encoder = CausalModel(loaded, batch_tokens=1).encoder
    expected = {}
    for request, prompt in zip(PROMPTS, encoder.prompts(PROMPTS), strict=True):
        tokens = list(prompt)
        while len(tokens) < len(prompt) + request.max_tokens and (not tokens[len(prompt) :] or tokens[-1] != 2):
            tokens.append(int(plain(tuple(tokens))[-1].argmax()))
        expected[request.id] = tuple(token for token in tokens[len(prompt) :] if token != 2)
    for budget in (1, 10_000):
        model = CausalModel(loaded, batch_tokens=budget)
        found = {response.request_id: response.token_ids for response in respond(model, PROMPTS[::-1])}
        assert found == expected


def scale_by_the_longest(positions, _args, kwargs):
    """What some rotary positions do, here in a model whose config says nothing of it."""
    positions.inv_freq = positions.original_inv_freq / (1 + kwargs["position_ids"].max() / 64)


def test_what_no_config_names_is_found_by_trying(tiny_llama):
    loaded = load_model(resolve(str(tiny_llama)), dtype="float32", device="cpu")
    assert tried_lengths(loaded.model, loaded.max_length) == ALIKE
    loaded.model.model.rotary_emb.register_forward_pre_hook(scale_by_the_longest, with_kwargs=True)
    model = CausalModel(loaded, batch_tokens=10_000)
    assert model.lengths == Lengths(0, each=True)
    found = {response.request_id: response.loglikelihood for response in respond(model, PAIRS)}
    for pair, reading in zip(PAIRS, model.encoder.loglikelihoods(PAIRS), strict=True):
        with torch.inference_mode():
            rows = loaded.model(torch.tensor([reading.inputs])).logits[0, -len(reading.targets) :].double()
        total = rows.log_softmax(-1).gather(1, torch.tensor(reading.targets)[:, None]).sum().item()
        assert found[pair.id] == pytest.approx(total, abs=5e-4)


def test_a_classifier_is_read_by_length_too(tmp_path):
    config = CONFIG_MAPPING["phi3"](**PHI, rope_parameters=LONG, num_labels=2)
    folder = _build(tmp_path, AutoModelForSequenceClassification, config, build_tiny_tokenizer(), 0)
    loaded = load_model(resolve(str(folder)), dtype="float32", device="cpu")
    texts = [PASSAGE[:end] for end in (30, 120, 150, 170, 200, 300)]
    found = list(respond(ClassifierModel(loaded, batch_tokens=10_000), [Classify(text=text) for text in texts]))
    scores = {response.request_id: list(response.label_scores.values()) for response in found}
    for text in texts:
        with torch.inference_mode():
            alone = loaded.model(**loaded.tokenizer(text, return_tensors="pt")).logits[0].softmax(-1).tolist()
        assert scores[Classify(text=text).id] == pytest.approx(alone, abs=5e-4)
