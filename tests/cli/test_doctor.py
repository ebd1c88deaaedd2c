"""`harness doctor --model`."""

import json

from transformers import MistralConfig

from tests.tiny import build_tiny_checkpoint


def reading(finished):
    (row,) = (row for row in json.loads(finished.stdout) if row["name"] == "reading")
    return row["status"], row["detail"]


def test_a_model_whose_attention_allows_it_is_read_packed(harness_here, tiny_llama):
    status, detail = reading(harness_here("doctor", "--model", tiny_llama, "--json"))
    assert status == "ok"
    assert detail.startswith("packed")


def test_a_model_whose_attention_slides_is_read_plainly_and_says_why(harness_here, tmp_path):
    config = MistralConfig(
        vocab_size=400,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        sliding_window=8,
    )
    folder = build_tiny_checkpoint(tmp_path / "sliding", config=config)
    status, detail = reading(harness_here("doctor", "--model", folder, "--json"))
    assert status == "limited"
    assert "slid" in detail
