"""What is refused of weights: those that are cut off, lie, or are missing."""

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

from tests.checkpoints.refusals import refusal, rewrite_header


@pytest.mark.parametrize(
    "share_kept",
    [0, 0.00004, 0.001, 0.5, 0.99999],
    ids=["empty", "no header length", "in the header", "half", "the last bytes gone"],
)
def test_truncated_weights_are_refused(folder: Path, share_kept: float) -> None:
    weights = folder / "model.safetensors"
    os.truncate(weights, int(weights.stat().st_size * share_kept))
    error = refusal(folder)
    assert error.place == str(weights)
    assert "truncated" in error.problem


@pytest.mark.parametrize("length", [10**18, 2**64 - 1, (16 << 20) + 1])
def test_a_header_that_claims_too_much_is_refused(folder: Path, length: int) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(struct.pack("<Q", length) + b" " * 64)
    os.truncate(weights, 32 << 20)
    assert "header" in refusal(folder).problem


def _overlap(header: dict[str, Any]) -> None:
    first, second = [name for name in header if header[name].get("shape") == [32]][:2]
    header[first]["data_offsets"] = header[second]["data_offsets"]


def _out_of_bounds(header: dict[str, Any]) -> None:
    entry = header["model.norm.weight"]
    begin, end = entry["data_offsets"]
    entry["data_offsets"] = [begin + 10**9, end + 10**9]


@pytest.mark.parametrize(
    "lie",
    [
        _overlap,
        _out_of_bounds,
        lambda header: header["model.norm.weight"].update(shape=[2**40, 2**40]),
        lambda header: header["model.norm.weight"].update(shape=[-32]),
        lambda header: header["model.norm.weight"].update(shape=None),
        lambda header: header["model.norm.weight"].update(dtype="F31"),
        lambda header: header["model.norm.weight"].pop("data_offsets"),
        lambda header: header.update(more=[]),
    ],
    ids=["overlap", "out of bounds", "huge shape", "negative shape", "no shape", "dtype", "no offsets", "no object"],
)
def test_weights_that_lie_are_refused(folder: Path, lie: Callable[[dict[str, Any]], None]) -> None:
    rewrite_header(folder / "model.safetensors", lie)
    assert refusal(folder).place == str(folder / "model.safetensors")


def test_a_header_with_a_name_twice_is_refused(folder: Path) -> None:
    weights = folder / "model.safetensors"
    entry = b'{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'
    text = b'{"a":' + entry + b',"a":' + entry + b"}"
    weights.write_bytes(struct.pack("<Q", len(text)) + text + bytes(4))
    assert "twice" in refusal(folder).problem


def test_weights_without_a_tensor_are_refused(folder: Path) -> None:
    save_file({}, folder / "model.safetensors")
    assert "no tensors" in refusal(folder).problem


@pytest.fixture
def sharded(folder: Path) -> Path:
    """The folder with its weights in several files."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    (folder / "model.safetensors").unlink()
    model.save_pretrained(folder, max_shard_size="60KB")
    assert len(list(folder.glob("model-*.safetensors"))) > 2
    return folder


def test_a_missing_shard_is_named(sharded: Path) -> None:
    gone = sorted(sharded.glob("model-*.safetensors"))[1]
    gone.unlink()
    error = refusal(sharded)
    assert error.place == str(gone)
    assert "missing" in error.problem


@pytest.mark.parametrize("name", ["../outside.safetensors", "/outside.safetensors", "weights.bin"])
def test_an_index_that_names_a_file_elsewhere_is_refused(sharded: Path, name: str) -> None:
    index = sharded / "model.safetensors.index.json"
    content = json.loads(index.read_text())
    content["weight_map"]["lm_head.weight"] = name
    index.write_text(json.dumps(content))
    error = refusal(sharded)
    assert error.place == str(index)
    assert name in error.problem


def test_an_index_that_puts_a_tensor_in_the_wrong_shard_is_refused(sharded: Path) -> None:
    index = sharded / "model.safetensors.index.json"
    content = json.loads(index.read_text())
    content["weight_map"]["model.norm.bias"] = content["weight_map"]["lm_head.weight"]
    index.write_text(json.dumps(content))
    assert "model.norm.bias" in refusal(sharded).problem


def test_an_index_without_a_map_is_refused(sharded: Path) -> None:
    index = sharded / "model.safetensors.index.json"
    for content in ("{}", '{"weight_map": []}', '{"weight_map": {"a": 1}}'):
        index.write_text(content)
        assert "no weight_map" in refusal(sharded).problem


def test_a_tensor_in_two_shards_is_refused(sharded: Path) -> None:
    first, second = sorted(sharded.glob("model-*.safetensors"))[:2]
    second.write_bytes(first.read_bytes())
    assert "as another shard does" in refusal(sharded).problem
