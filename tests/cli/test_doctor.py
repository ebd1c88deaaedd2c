"""`harness doctor --model`."""

import json

from transformers import BloomConfig, MambaConfig

from tests.tiny import build_tiny_checkpoint


def finding(name, finished):
    (row,) = (row for row in json.loads(finished.stdout) if row["name"] == name)
    return row["status"], row["detail"]


def reading(finished):
    return finding("reading", finished)


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


def test_what_of_the_checkpoints_own_settings_counts_is_said(harness_here, tmp_path):
    folder = build_tiny_checkpoint(tmp_path / "llama")
    path = folder / "generation_config.json"
    own = json.loads(path.read_text())
    path.write_text(json.dumps({**own, "repetition_penalty": 1.3, "temperature": 0.6, "top_p": 0.9}))
    status, detail = finding("writing", harness_here("doctor", "--model", folder, "--json"))
    assert status == "ok"
    assert detail == (
        "follows repetition_penalty 1.3, eos_token_id 2 of the checkpoint's settings; "
        "each task's own in place of temperature 0.6, top_p 0.9"
    )
    path.write_text(json.dumps({**own, "guidance_scale": 2.5}))
    status, detail = finding("writing", harness_here("doctor", "--model", folder, "--json"))
    assert status == "limited"
    assert "can't follow guidance_scale 2.5" in detail
