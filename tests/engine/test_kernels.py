"""Faster kernels give the numbers of torch's own, and leave alone what they can't do."""

import logging

import pytest
import torch
from torch.nn.functional import linear, scaled_dot_product_attention
from transformers import LlamaForCausalLM

from harness.checkpoints import resolve
from harness.checkpoints.loading.loader import load_model
from harness.core.models import respond
from harness.core.requests import LoglikelihoodRolling
from harness.engine.kernels.processors import FasterKernels
from harness.engine.kinds.causal import CausalModel
from tests.engine.reference import plain_loglikelihood


def states(width: int, before: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Queries of `width` tokens, and keys and values of those and of as many `before` them."""
    generator = torch.Generator().manual_seed(width)
    lengths = (width, before + width, before + width)
    return tuple(torch.randn((2, 4, length, 8), generator=generator) for length in lengths)


@pytest.mark.parametrize("width", [1, 63, 64, 65, 128, 150])
def test_causal_attention_is_the_same_in_blocks(width):
    expected = scaled_dot_product_attention(*states(width), is_causal=True)
    with FasterKernels({}):
        found = scaled_dot_product_attention(*states(width), is_causal=True)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize(("width", "before"), [(65, 0), (150, 0), (150, 70)])
def test_rows_that_branch_are_the_same_in_blocks(width, before):
    """Every third token is hidden from all that come after it, as a leaf is."""
    seen = torch.ones((width, width), dtype=torch.bool).tril()
    seen[:, ::3] = torch.eye(width, dtype=torch.bool)[:, ::3]
    mask = torch.zeros((2, 1, width, before + width))
    mask[..., before:].masked_fill_(~seen, torch.finfo(torch.float32).min)
    expected = scaled_dot_product_attention(*states(width, before), attn_mask=mask, scale=0.3)
    with FasterKernels({"attention_mask": {"full_attention": mask}}):
        found = scaled_dot_product_attention(*states(width, before), attn_mask=mask, scale=0.3)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


def test_attention_that_sees_later_tokens_is_left_as_it_is():
    mask = torch.zeros((1, 1, 150, 150))
    for options in ({}, {"attn_mask": mask}):
        expected = scaled_dot_product_attention(*states(150), **options)
        with FasterKernels({"attention_mask": torch.ones((1, 150))}):
            assert torch.equal(scaled_dot_product_attention(*states(150), **options), expected)


@pytest.mark.parametrize(("rows", "outputs"), [(1, 24), (3, 24), (3, 8200), (40, 24), (40, 8200)])
@pytest.mark.parametrize("has_bias", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_products_are_the_same(rows, outputs, has_bias, dtype):
    generator = torch.Generator().manual_seed(rows)
    states = torch.randn((2, rows, 16), generator=generator, dtype=dtype)
    weight = torch.randn((outputs, 16), generator=generator, dtype=dtype)
    bias = torch.randn(outputs, generator=generator, dtype=dtype) if has_bias else None
    with torch.inference_mode(), FasterKernels({}):
        found = linear(states, weight, bias)
    torch.testing.assert_close(found, linear(states, weight, bias), atol=1e-5, rtol=0)


class ComputesOtherwise(LlamaForCausalLM):
    """Reads another text wherever its calls are looked into."""

    def forward(self, input_ids=None, **rest):
        watched = torch.overrides._len_torch_function_stack() > 0
        return super().forward(input_ids=input_ids.flip(-1) if watched else input_ids, **rest)


def test_a_model_that_other_kernels_would_change_keeps_its_own_and_says_so(tiny_llama, caplog):
    loaded = load_model(resolve(str(tiny_llama)), dtype="float32", device="cpu")
    loaded.model.__class__ = ComputesOtherwise
    text = LoglikelihoodRolling(text="the quick brown fox jumps over the lazy dog " * 3)
    with caplog.at_level(logging.INFO):
        model = CausalModel(loaded, batch_tokens=1000)
        (response,) = respond(model, [text])
    assert "keeps its own kernels" in caplog.text
    expected, _ = plain_loglikelihood(loaded.model, model.encoder, text)
    assert response.loglikelihood == pytest.approx(expected, abs=1e-4)
