"""Safetensors files that are damaged, lie about themselves, or don't fit their config."""

import json
import os
import struct
from collections.abc import Callable
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from tests.corpus.entry import Scene, entry

__all__: list[str] = []

FILE = "model/model.safetensors"
AGAIN = "Download or copy this file again"


def _header(scene: Scene, change: Callable[[dict[str, Any]], None]) -> None:
    content = scene.weights.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    change(header)
    _write(scene, json.dumps(header).encode(), content[8 + length :])


def _write(scene: Scene, header: bytes, data: bytes) -> None:
    scene.weights.write_bytes(struct.pack("<Q", len(header)) + header + data)


def _tensors(scene: Scene, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    tensors = load_file(scene.weights)
    change(tensors)
    save_file(tensors, scene.weights, metadata={"format": "pt"})


@entry("weights", FILE, "truncated", "has 0", AGAIN)
def empty_file(scene: Scene) -> None:
    scene.weights.write_bytes(b"")


@entry("weights", FILE, "truncated", "bytes and it has", AGAIN)
def truncated_half(scene: Scene) -> None:
    os.truncate(scene.weights, scene.weights.stat().st_size // 2)


@entry("weights", FILE, "truncated", "bytes and it has", AGAIN)
def truncated_1byte(scene: Scene) -> None:
    os.truncate(scene.weights, scene.weights.stat().st_size - 1)


@entry("weights", FILE, "header", "1,000,000,000,000,000,008", AGAIN)
def header_1e18(scene: Scene) -> None:
    scene.weights.write_bytes(struct.pack("<Q", 10**18) + b"{}")


@entry("weights", FILE, "header of 99,000,000 bytes", "limit is 16,777,216", AGAIN)
def header_99MB(scene: Scene) -> None:  # noqa: N802 - the corpus's name for it
    scene.weights.write_bytes(struct.pack("<Q", 99 * 10**6) + b"{")
    os.truncate(scene.weights, 100 * 10**6)


@entry("weights", FILE, "overlaps", AGAIN)
def overlap(scene: Scene) -> None:
    def change(header: dict[str, Any]) -> None:
        first, second = [name for name in header if header[name].get("shape") == [32]][:2]
        header[first]["data_offsets"] = header[second]["data_offsets"]

    _header(scene, change)


@entry("weights", FILE, "model.norm.weight", "hole", AGAIN)
def offset_out_of_bounds(scene: Scene) -> None:
    def change(header: dict[str, Any]) -> None:
        begin, end = header["model.norm.weight"]["data_offsets"]
        header["model.norm.weight"]["data_offsets"] = [begin + 10**9, end + 10**9]

    _header(scene, change)


@entry("weights", FILE, "model.norm.weight", "[1099511627776, 1099511627776]", AGAIN)
def shape_overflow(scene: Scene) -> None:
    _header(scene, lambda header: header["model.norm.weight"].update(shape=[2**40, 2**40]))


@entry("weights", FILE, "model.norm.weight", AGAIN)
def shape_of_a_million_ones(scene: Scene) -> None:
    """A shape so long that the product of its numbers would take hours."""
    _header(scene, lambda header: header["model.norm.weight"].update(shape=[2**62] * 100_000))


@entry("weights", FILE, "no tensors", AGAIN)
def zero_tensors(scene: Scene) -> None:
    save_file({}, scene.weights)


@entry("weights", "model", "model.norm.weight is missing", "the same checkpoint")
def missing_tensor(scene: Scene) -> None:
    _tensors(scene, lambda tensors: tensors.pop("model.norm.weight"))


@entry("weights", "model", "model.extra.weight is not part of the architecture", "the same checkpoint")
def extra_tensor(scene: Scene) -> None:
    _tensors(scene, lambda tensors: tensors.update({"model.extra.weight": torch.ones(4)}))


@entry("weights", "model", "model.norm.weight has the shape [16]", "[32]", "the same checkpoint")
def misshapen_tensor(scene: Scene) -> None:
    _tensors(scene, lambda tensors: tensors.update({"model.norm.weight": torch.ones(16)}))


@entry("weights", FILE, "twice", AGAIN)
def duplicate_keys(scene: Scene) -> None:
    one = b'{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'
    _write(scene, b'{"a":' + one + b',"a":' + one + b"}", bytes(4))


@entry("weights", FILE, "lm_head.weight", "of 12,800 weights that are NaN or infinite", "convert it again")
def nan_weight(scene: Scene) -> None:
    def change(tensors: dict[str, torch.Tensor]) -> None:
        tensors["lm_head.weight"][3, 4] = float("nan")

    _tensors(scene, change)


@entry("weights", FILE, "lm_head.weight", "1 of 12,800 weights", "NaN or infinite", "convert it again")
def inf_weight(scene: Scene) -> None:
    def change(tensors: dict[str, torch.Tensor]) -> None:
        tensors["lm_head.weight"][399, 31] = float("-inf")

    _tensors(scene, change)
