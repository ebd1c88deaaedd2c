"""Models of attention and recurrence together write what transformers' own `generate` writes after one prompt."""

import pytest
from transformers import CONFIG_MAPPING

from harness.checkpoints import resolve
from harness.checkpoints.loading.loader import load_model
from harness.core.models import respond
from harness.core.requests import GenerateUntil
from harness.engine.kinds.causal import CausalModel
from tests.engine.reference import plain_generation
from tests.tiny import TEXT, build_tiny_checkpoint

SMALL = {
    "vocab_size": 400,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 2,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "head_dim": 8,
    "max_position_embeddings": 640,
}
MAMBA = {
    "mamba_n_heads": 8,
    "mamba_d_head": 8,
    "mamba_d_state": 8,
    "mamba_n_groups": 1,
    "mamba_expand": 2,
    "mamba_chunk_size": 8,
}
HYBRIDS = {
    "bamba": {**MAMBA, "attn_layer_indices": [1]},
    "falcon_h1": {**MAMBA, "mamba_d_ssm": 64},
    "granitemoehybrid": {
        **MAMBA,
        "layer_types": ["mamba", "attention"],
        "num_local_experts": 0,
        "shared_intermediate_size": 64,
    },
    "nemotron_h": {
        "num_hidden_layers": 3,
        "layers_block_type": ["mamba", "attention", "mlp"],
        "mamba_num_heads": 8,
        "mamba_head_dim": 8,
        "ssm_state_size": 8,
        "n_groups": 1,
        "chunk_size": 8,
    },
    "zamba": {
        "num_hidden_layers": 3,
        "layers_block_type": ["hybrid", "mamba", "hybrid"],
        "attention_head_dim": 16,
        "mamba_d_state": 4,
        "mamba_dt_rank": 4,
    },
    "zamba2": {
        "num_hidden_layers": 3,
        "layers_block_type": ["mamba", "hybrid", "mamba"],
        "mamba_d_state": 8,
        "mamba_headdim": 8,
        "n_mamba_heads": 8,
        "mamba_ngroups": 1,
        "chunk_size": 8,
        "adapter_rank": 4,
        "num_mem_blocks": 1,
    },
}
PROMPTS = (TEXT[0], TEXT[1][:40], "x")


@pytest.mark.parametrize("model_type", HYBRIDS)
def test_greedy_tokens_equal_those_of_one_prompt_at_a_time(model_type, tmp_path):
    config = CONFIG_MAPPING[model_type](**{**SMALL, **HYBRIDS[model_type]})
    loaded = load_model(
        resolve(str(build_tiny_checkpoint(tmp_path, config=config, scale=4))), dtype="float32", device="cpu"
    )
    requests = [GenerateUntil(context=prompt, max_tokens=8) for prompt in PROMPTS]
    found = {one.request_id: list(one.token_ids) for one in respond(CausalModel(loaded, batch_tokens=10_000), requests)}
    assert found == {request.id: plain_generation(loaded, request) for request in requests}
    assert any(found.values())
