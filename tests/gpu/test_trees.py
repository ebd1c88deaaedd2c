"""Wide rows that branch: on an accelerator attention leaves out the blocks in which no token sees another one."""

import pytest

from harness.checkpoints import resolve
from harness.checkpoints.loading.loader import load_model
from harness.core.models import respond, tolerance_nats
from harness.core.requests import Loglikelihood
from harness.engine.kernels.accelerators import WIDE, TreeKernels
from harness.engine.kernels.choice import faster_kernels
from harness.engine.kinds.causal import CausalModel
from harness.engine.packing import packed_arguments
from tests.engine.reference import plain_loglikelihood
from tests.gpu.texts import text
from tests.tiny import build_tiny_checkpoint, tiny_llama_config

pytestmark = pytest.mark.gpu
REQUESTS = [
    Loglikelihood(context=f"{text(passage, 2000)} {text(question + 3, 12)}", continuation=f" {text(choice + 5, 3)}")
    for passage in range(2)
    for question in range(8)
    for choice in range(2)
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    config = tiny_llama_config(hidden_size=128, num_attention_heads=4, max_position_embeddings=4096)
    return build_tiny_checkpoint(tmp_path_factory.mktemp("wide"), config=config)


def answered(loaded):
    model = CausalModel(loaded, batch_tokens=65536)
    widest = max(len(row.tokens) for batch in model.plan(REQUESTS) for row in batch.work.rows)
    assert widest >= WIDE
    return model, {one.request_id: one.loglikelihood for one in respond(model, REQUESTS)}


def test_loglikelihoods_in_wide_rows_are_those_of_single_requests(folder, device):
    loaded = load_model(resolve(str(folder)), dtype="float32", device=device)
    model, found = answered(loaded)
    for request in REQUESTS[::5]:
        expected = plain_loglikelihood(loaded.model, model.encoder, request)[0]
        assert found[request.id] == pytest.approx(expected, abs=5e-4)


def test_the_blocks_are_used_and_change_half_precision_by_rounding_alone(folder, cuda):
    loaded = load_model(resolve(str(folder)), dtype="bfloat16", device=cuda)
    model, found = answered(loaded)
    rows = next(batch.work.rows for batch in model.plan(REQUESTS))
    assert isinstance(faster_kernels(loaded.model, packed_arguments(loaded.model, rows)), TreeKernels)
    for request in REQUESTS[::5]:
        expected = plain_loglikelihood(loaded.model, model.encoder, request)[0]
        (reading,) = model.encoder.loglikelihoods([request])
        assert found[request.id] == pytest.approx(expected, abs=tolerance_nats("bfloat16") * len(reading.targets))
