"""What in a checkpoint's JSON no run's spec can hold, or leaves nothing of a score, is refused by name."""

import json
from pathlib import Path

import pytest

from harness.checkpoints import resolve
from harness.core.errors import CheckpointError
from tests.checkpoints.conftest import Edit

HUGE = 10**30


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("eos_token_id", HUGE),
        ("eos_token_id", [2, -HUGE]),
        ("min_length", HUGE),
        ("max_length", HUGE),
        ("no_repeat_ngram_size", HUGE),
        ("suppress_tokens", [HUGE]),
        ("exponential_decay_length_penalty", [0, 1e308]),
        ("repetition_penalty", 1e308),
        ("repetition_penalty", 1e-308),
        ("sequence_bias", [[[5], 1e308]]),
    ],
)
def test_a_setting_for_writing_out_of_all_bounds_is_refused(folder: Path, field: str, value: object) -> None:
    path = folder / "generation_config.json"
    path.write_text(json.dumps({field: value}))
    with pytest.raises(CheckpointError, match=f"{field} is .*which it can't be") as caught:
        resolve(str(folder))
    assert caught.value.place == str(path)


def test_a_length_that_no_record_holds_is_refused(folder: Path, edit: Edit) -> None:
    edit("config.json", max_position_embeddings=HUGE)
    with pytest.raises(CheckpointError, match="max_position_embeddings is 1,000"):
        resolve(str(folder))


def test_half_of_a_surrogate_pair_is_refused(folder: Path) -> None:
    path = folder / "generation_config.json"
    path.write_text(json.dumps({"stop_strings": ["\ud800"]}))
    with pytest.raises(CheckpointError, match="half of a surrogate pair"):
        resolve(str(folder))
    path.write_text(json.dumps({"stop_strings": ["\U0001f600"]}))
    assert resolve(str(folder)).generation.followed["stop_strings"]
