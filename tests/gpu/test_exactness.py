"""Answers of an accelerator against transformers in double precision on the processor, one request at a time."""

import copy
import random
from dataclasses import replace

import pytest
import torch

from harness.checkpoints import resolve
from harness.checkpoints.loading.loader import load_model
from harness.core.models import tolerance_nats
from harness.engine.kinds.causal import CausalModel
from tests.engine.reference import answers, plain_generation, plain_loglikelihood
from tests.engine.test_architectures import KINDS, READ, WRITTEN, build_kind

pytestmark = pytest.mark.gpu
SEEN = list(KINDS) if torch.cuda.is_available() else ["llama"]
"""Without an accelerator one architecture will do: `tests/engine` tries all of them on the processor."""


@pytest.fixture(scope="module", params=SEEN)
def folder(request, tmp_path_factory):
    kind = KINDS[request.param]
    return build_kind(kind, tmp_path_factory.mktemp(kind.model_type))


@pytest.fixture(scope="module")
def loaded(folder, device):
    return load_model(resolve(str(folder)), dtype="float32", device=device)


@pytest.fixture(scope="module")
def exact(folder):
    """The same weights in double precision on the processor."""
    return in_double_precision(folder, "float32")


def in_double_precision(folder, dtype):
    model = copy.deepcopy(load_model(resolve(str(folder)), dtype=dtype, device="cpu").model).double()
    if model._can_set_experts_implementation():
        model.set_experts_implementation("eager")  # the grouped product of torch 2.11 knows no doubles
    return model


def test_loglikelihoods_are_those_of_double_precision_on_the_processor_whatever_the_budget(loaded, exact):
    encoder = CausalModel(loaded, batch_tokens=10_000).encoder
    expected = {request.id: plain_loglikelihood(exact, encoder, request) for request in READ}
    for budget in (1, 64, 10_000):
        found = answers(CausalModel(loaded, batch_tokens=budget), random.Random(budget).sample(READ, len(READ)))
        for request in READ:
            assert found[request.id].loglikelihood == pytest.approx(expected[request.id][0], abs=5e-4)


def test_half_precision_stays_within_its_stated_bound(folder, device):
    half = load_model(resolve(str(folder)), dtype="bfloat16", device=device)
    exact = in_double_precision(folder, "bfloat16")
    shared = CausalModel(half, batch_tokens=10_000)
    found = answers(shared, READ)
    alone = {request.id: plain_loglikelihood(half.model, shared.encoder, request)[0] for request in READ}
    truth = {request.id: plain_loglikelihood(exact, shared.encoder, request)[0] for request in READ}
    for request in READ:
        tokens = found[request.id].token_count
        # What one pass in half precision loses by itself is no fault of sharing: the bound is for what is added.
        lost = abs(alone[request.id] - truth[request.id])
        assert abs(found[request.id].loglikelihood - truth[request.id]) <= lost + tolerance_nats("bfloat16") * tokens


def test_greedy_texts_are_those_that_the_processor_writes(loaded, folder):
    plain = load_model(resolve(str(folder)), dtype="float32", device="cpu")
    found = answers(CausalModel(loaded, batch_tokens=10_000), WRITTEN)
    for request in WRITTEN:
        assert list(found[request.id].token_ids) == plain_generation(plain, request)


def test_samples_are_the_same_in_any_batch(loaded):
    drawn = [replace(request, temperature=1.0, seed=seed) for request in WRITTEN[:3] for seed in range(3)]
    together = answers(CausalModel(loaded, batch_tokens=10_000), drawn)
    assert answers(CausalModel(loaded, batch_tokens=1), drawn) == together


def test_the_same_plan_gives_the_same_bytes_each_time(loaded):
    first = answers(CausalModel(loaded, batch_tokens=10_000), READ)
    assert answers(CausalModel(loaded, batch_tokens=10_000), READ) == first
