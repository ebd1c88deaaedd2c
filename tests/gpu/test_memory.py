"""A budget that the accelerator's memory can't hold costs time, not answers."""

import logging

import pytest
import torch

from harness.checkpoints import resolve
from harness.checkpoints.loading.loader import load_model
from harness.core.models import respond
from harness.core.requests import Loglikelihood, LoglikelihoodRolling
from harness.engine.kinds.causal import CausalModel
from tests.gpu.texts import text
from tests.tiny import build_tiny_checkpoint, tiny_llama_config

pytestmark = pytest.mark.gpu
REQUESTS = [
    *(Loglikelihood(context=text(seed, 200), continuation=" " + text(seed + 1, 8)) for seed in range(64)),
    *(LoglikelihoodRolling(text=text(seed, 300)) for seed in range(32)),
]


@pytest.fixture
def little_memory(cuda):
    """A card of which this process may use 400 MB beyond what it has."""
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(cuda).total_memory
    torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved() + 400e6) / total)
    yield
    torch.cuda.set_per_process_memory_fraction(1.0)


def test_out_of_memory_halves_the_budget_and_loses_no_answer(cuda, little_memory, tmp_path, caplog):
    config = tiny_llama_config(hidden_size=512, intermediate_size=4096, max_position_embeddings=2048)
    loaded = load_model(resolve(str(build_tiny_checkpoint(tmp_path, config=config))), dtype="float32", device=cuda)
    few = {one.request_id: one for one in respond(CausalModel(loaded, batch_tokens=1024), REQUESTS)}
    assert "out of memory" not in caplog.text
    with caplog.at_level(logging.WARNING):
        many = {one.request_id: one for one in respond(CausalModel(loaded, batch_tokens=10**6), REQUESTS)}
    assert "out of memory: going on with" in caplog.text
    for request in REQUESTS:
        assert many[request.id].invalid is None
        assert many[request.id].loglikelihood == pytest.approx(few[request.id].loglikelihood, abs=5e-4, rel=1e-6)
