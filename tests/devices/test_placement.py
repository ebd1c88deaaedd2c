"""A model whose weights are spread: as exact as one that is whole, and refused in one line where there is no room."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.checkpoints import resolve
from harness.checkpoints.loading.loader import Loader
from harness.checkpoints.loading.memory import refuse_misfit, told_fit
from harness.checkpoints.loading.placement import Spread, check_spread, parse_device_map
from harness.core.checkpoints import Checkpoint
from harness.core.errors import CheckpointError, InputError
from harness.core.models import TOLERANCE_NATS, Model, ModelOptions, respond
from harness.core.requests import GenerateUntil, Loglikelihood, LoglikelihoodRolling, Request, Response
from harness.engine.opening import open_model
from tests.tiny import build_tiny_masked

GB = 10**9
REQUESTS: list[Request] = [
    Loglikelihood(context="The cat sat on", continuation=" the mat"),
    Loglikelihood(context="The cat sat on", continuation=" a wall of bricks"),
    LoglikelihoodRolling(text="Once upon a time there was a king who had three sons."),
    GenerateUntil(context="The sun", until=(), max_tokens=8),
]


def answers(model: Model) -> dict[str, Response]:
    return {response.request_id: response for response in respond(model, REQUESTS)}


def assert_same(one: dict[str, Response], other: dict[str, Response]) -> None:
    assert one.keys() == other.keys()
    for key, response in one.items():
        assert response.text == other[key].text
        if response.loglikelihood is not None:
            assert response.loglikelihood == pytest.approx(other[key].loglikelihood, abs=TOLERANCE_NATS)


def test_weights_that_stay_on_disk_give_the_answers_of_weights_in_memory(tiny_llama: Path) -> None:
    checkpoint, loader = resolve(str(tiny_llama)), Loader()
    whole = answers(open_model(checkpoint, ModelOptions(dtype="float32")))
    spread = open_model(checkpoint, ModelOptions(dtype="float32", device_map="cpu=0.13MB,disk"), loader=loader)
    assert_same(answers(spread), whole)
    # They are read as long as the model is there, so a change of their file is looked for in the end.
    assert [path.name for path in loader.mapped] == ["model.safetensors"]


def test_a_part_of_the_weights_is_where_the_map_has_it(tiny_llama: Path, caplog: pytest.LogCaptureFixture) -> None:
    loaded = Loader().load(
        resolve(str(tiny_llama)), dtype="float32", device="cpu", spread=Spread(device_map="cpu=0.13MB,disk")
    )
    places: dict[str, Any] = loaded.model.hf_device_map
    assert set(places.values()) == {"cpu", "disk"}
    assert any(parameter.is_meta for parameter in loaded.model.parameters())
    # What a library says of that in words of its own isn't shown to the user.
    assert not caplog.records


def test_a_map_without_limits_is_the_whole_model_where_it_has_room(tiny_llama: Path) -> None:
    loaded = Loader().load(resolve(str(tiny_llama)), dtype="float32", device="cpu", spread=Spread(device_map="auto"))
    assert not any(parameter.is_meta for parameter in loaded.model.parameters())


def test_rooms_are_read_in_both_kinds_of_units() -> None:
    assert parse_device_map("0=1GiB, cuda:1=2.5GB,cpu=300MB,disk") == {
        "cuda:0": 1 << 30,
        "cuda:1": 25 * 10**8,
        "cpu": 300 * 10**6,
        "disk": None,
    }
    assert parse_device_map("auto") == {"auto": None}


@pytest.mark.parametrize(
    "text", ["", "banana", "cpu", "cpu=5", "cpu=-1GB", "disk", "cpu=1GB,cpu=2GB", "auto,cpu=1GB", "0=1GB,cuda:0=1GB"]
)
def test_what_is_no_map_is_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_device_map(text)
    assert caught.value.fix is not None
    assert "\n" not in str(caught.value)


def test_a_device_that_is_not_there_is_named(tiny_llama: Path) -> None:
    with pytest.raises(InputError, match="there is no cuda:77"):
        check_spread(Spread(device_map="cuda:77=1GB,cpu=1GB"), resolve(str(tiny_llama)), "float32")


def test_what_cannot_be_spread_is_refused(tiny_llama: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can't be spread"):
        check_spread(Spread(device_map="auto"), resolve(str(build_tiny_masked(tmp_path))), "float32")
    with pytest.raises(InputError, match="adapter"):
        check_spread(Spread(device_map="auto"), replace(resolve(str(tiny_llama)), adapter=tmp_path), "float32")
    with pytest.raises(InputError, match="float16"):
        check_spread(Spread(device_map="auto,disk"), resolve(str(tiny_llama)), "float16")


@pytest.fixture
def seventy_billion(tiny_llama: Path) -> Checkpoint:
    return replace(resolve(str(tiny_llama)), parameter_count=70 * 10**9)


def test_too_little_room_is_told_with_what_would_do(seventy_billion: Checkpoint) -> None:
    with pytest.raises(CheckpointError) as caught:
        refuse_misfit(seventy_billion, "bfloat16", {"cuda:0": 72 * GB, "cpu": 20 * GB})
    assert "140 GB in bfloat16" in caught.value.problem
    assert "cuda:0 72 GB, cpu 20 GB" in caught.value.problem
    assert "a checkpoint in 8 bits (70 GB)" in str(caught.value.fix)
    assert "2 devices of 72 GB" in str(caught.value.fix)
    refuse_misfit(seventy_billion, "bfloat16", {"cuda:0": 72 * GB, "cuda:1": 72 * GB})
    refuse_misfit(seventy_billion, "bfloat16", {"cuda:0": 72 * GB, "disk": None})


def test_where_weights_have_room_is_told(seventy_billion: Checkpoint) -> None:
    needed = 140 * GB
    assert "fits on cuda:0" in told_fit(seventy_billion, needed, {"cuda:0": 141 * GB, "cpu": 20 * GB})
    assert "--device-map auto" in told_fit(seventy_billion, needed, {"cuda:0": 72 * GB, "cuda:1": 72 * GB})
    assert "No fewer bits" in told_fit(seventy_billion, needed, {"cpu": 20 * GB})
    assert "4 bits (35 GB)" in told_fit(seventy_billion, needed, {"cpu": 40 * GB})
