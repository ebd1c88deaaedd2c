"""A model whose attention can't be packed is found out when it is loaded, whatever its config says."""

import logging

import pytest
import torch
from transformers import LlamaForCausalLM

from harness.checkpoints import resolve
from harness.checkpoints.loading.loader import load_model
from harness.core.models import respond, tolerance_nats
from harness.core.requests import GenerateUntil, Loglikelihood
from harness.engine.kinds.causal import CausalModel
from harness.engine.scoring import packing_error
from harness.report.words import Words
from tests.engine.reference import CountingMeter, plain_generation, plain_loglikelihood

PAIRS = [Loglikelihood(context=f"the {word} of", continuation=end) for word in ("fox", "dog") for end in (" x", " the")]
PROMPTS = [GenerateUntil(context="the quick brown " * times, max_tokens=8) for times in (1, 3, 3, 5)]


class IgnoresTheMask(LlamaForCausalLM):
    """Sees every token before, whatever mask it is given."""

    def forward(self, input_ids=None, attention_mask=None, position_ids=None, past_key_values=None, **rest):
        del attention_mask
        return super().forward(input_ids=input_ids, position_ids=position_ids, past_key_values=past_key_values, **rest)


class CountsItsOwnPositions(LlamaForCausalLM):
    """Takes position ids, and counts them by itself all the same."""

    def forward(self, input_ids=None, attention_mask=None, position_ids=None, past_key_values=None, **rest):
        del position_ids
        return super().forward(
            input_ids=input_ids, attention_mask=attention_mask, past_key_values=past_key_values, **rest
        )


class RefusesFourDimensions(LlamaForCausalLM):
    """Knows only the mask that says what is padding."""

    def forward(self, input_ids=None, attention_mask=None, position_ids=None, past_key_values=None, **rest):
        if attention_mask is not None and attention_mask.dim() != 2:
            raise ValueError("attention_mask must have two dimensions")
        return super().forward(
            input_ids=input_ids,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            **rest,
        )


@pytest.fixture(
    params=[
        (IgnoresTheMask, "log-likelihoods differ"),
        (CountsItsOwnPositions, "log-likelihoods differ"),
        (RefusesFourDimensions, "must have two dimensions"),
    ],
    ids=lambda param: param[0].__name__,
)
def awkward(request, tiny_llama):
    """A checkpoint whose model is of another class than its config says, and what is to be said of it."""
    loaded = load_model(resolve(str(tiny_llama)), dtype="float32", device="cpu")
    loaded.model.__class__, reason = request.param
    return loaded, reason


def test_a_model_that_packing_would_change_is_read_plainly_and_says_so(awkward, caplog):
    loaded, reason = awkward
    with caplog.at_level(logging.INFO):
        model = CausalModel(loaded, batch_tokens=1000)
    assert reason in model.plain_reason
    assert model.plain_reason in caplog.text
    assert "自检" in Words("zh").reason(model.plain_reason)


def test_its_answers_are_right_all_the_same(awkward):
    loaded, _ = awkward
    model = CausalModel(loaded, batch_tokens=1000)
    found = {response.request_id: response for response in respond(model, [*PAIRS, *PROMPTS])}
    for pair in PAIRS:
        assert found[pair.id].loglikelihood == pytest.approx(plain_loglikelihood(loaded.model, model.encoder, pair)[0])
    for prompt in PROMPTS:
        assert list(found[prompt.id].token_ids) == plain_generation(loaded, prompt)


def rounds_by_shape(module, arguments, output):
    """As on a GPU in half precision, where kernels for another number of tokens add up in another order."""
    states = output.last_hidden_state
    noise = torch.randn(states.shape, generator=torch.Generator().manual_seed(states.shape[:2].numel()))
    output.last_hidden_state = states + (0.08 * noise).to(states.dtype)
    return output


@pytest.mark.parametrize(("dtype", "packs"), [("bfloat16", True), ("float32", False)])
def test_half_precision_that_rounds_much_by_itself_is_packed_all_the_same(tiny_llama, dtype, packs):
    loaded = load_model(resolve(str(tiny_llama)), dtype=dtype, device="cpu")
    loaded.model.base_model.register_forward_hook(rounds_by_shape)
    assert packing_error(loaded.model) > tolerance_nats(dtype)
    assert (CausalModel(loaded, batch_tokens=1000).plain_reason is None) == packs


@pytest.mark.parametrize("kind", [IgnoresTheMask, CountsItsOwnPositions])
def test_half_precision_excuses_no_packing_that_changes_what_is_seen(tiny_llama, kind):
    loaded = load_model(resolve(str(tiny_llama)), dtype="bfloat16", device="cpu")
    loaded.model.__class__ = kind
    assert "log-likelihoods differ" in CausalModel(loaded, batch_tokens=1000).plain_reason


def test_what_prompts_share_is_read_once_and_so_is_the_prompt_of_several_samples(tiny_llama):
    loaded = load_model(resolve(str(tiny_llama)), dtype="float32", device="cpu")
    shared = "Answer each question in one word, and say nothing else. " * 3
    requests = [
        GenerateUntil(context=shared + question, max_tokens=4, temperature=1.0, seed=seed)
        for question in ("Who?", "Where to?", "Why not?")
        for seed in range(5)
    ]
    meter = CountingMeter()
    model = CausalModel(loaded, batch_tokens=10_000, meter=meter)
    (batch,) = model.plan(requests)
    model.answer(batch)
    texts = {tuple(loaded.tokenizer(request.context).input_ids) for request in requests}
    tree = {text[:length] for text in texts for length in range(1, len(text) + 1)}
    assert meter.tokens["prefill"] == batch.computed_token_count == len(tree)
    assert batch.asked_token_count == 5 * sum(map(len, texts))
