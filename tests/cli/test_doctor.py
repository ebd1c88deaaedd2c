"""`harness doctor --model`."""

import json

from transformers import BloomConfig, MambaConfig

from tests.tiny import build_tiny_checkpoint


def reading(finished):
    (row,) = (row for row in json.loads(finished.stdout) if row["name"] == "reading")
    return row["status"], row["detail"]


def test_a_model_whose_attention_allows_it_is_read_packed(harness_here, tiny_llama):
    status, detail = reading(harness_here("doctor", "--model", tiny_llama, "--json"))
    assert status == "ok"
    assert detail.startswith("packed")


def test_a_model_that_takes_no_positions_is_read_row_by_row_and_says_why(harness_here, tmp_path):
    config = BloomConfig(vocab_size=400, hidden_size=32, n_layer=2, n_head=4, bos_token_id=1, eos_token_id=2)
    folder = build_tiny_checkpoint(tmp_path / "bloom", config=config)
    status, detail = reading(harness_here("doctor", "--model", folder, "--json"))
    assert status == "ok"
    assert "going on from a beginning that is read once" in detail
    assert "position_ids" in detail


def test_a_model_that_can_not_go_on_from_a_state_is_read_plainly_and_says_why(harness_here, tmp_path):
    config = MambaConfig(
        vocab_size=400, hidden_size=32, num_hidden_layers=2, state_size=4, bos_token_id=1, eos_token_id=2
    )
    folder = build_tiny_checkpoint(tmp_path / "mamba", config=config, scale=4)
    status, detail = reading(harness_here("doctor", "--model", folder, "--json"))
    assert status == "limited"
    assert "recurrent" in detail
