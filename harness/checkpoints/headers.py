"""Finds a checkpoint's safetensors files and reads their headers; the numbers in them stay on disk.

The format (https://github.com/safetensors/safetensors): eight bytes with the length of the header, the header as JSON
with each tensor's dtype, shape and byte range, then the bytes, without holes or overlap.
"""

import json
import math
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.checkpoints.files import read_object, safe_file
from harness.core.errors import CheckpointError
from harness.core.text.jsontext import distinct

__all__ = ["INDEX", "SINGLE", "StoredTensor", "WeightFiles", "find_weights", "read_header", "stored_tensors"]

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
MAX_HEADER_BYTES = 16 << 20
MAX_DIMENSIONS = 64
"""As in torch. The product of a longer list of numbers could take hours."""
BITS = {
    **dict.fromkeys(("F64", "I64", "U64", "C64"), 64),
    **dict.fromkeys(("F32", "I32", "U32"), 32),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 16),
    **dict.fromkeys(("BOOL", "I8", "U8", "F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8),
    **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 6),
    "F4": 4,
}
AGAIN = "Download or copy this file again"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTensor:
    """One tensor of a weight file: its dtype in safetensors' words, its shape, and where its bytes lie in `file`."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    file: Path
    offset: int
    size_bytes: int

    @property
    def count(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightFiles:
    """The weight files that transformers would load: their names (the index among them), their size, their tensors."""

    names: tuple[str, ...]
    size_bytes: int
    tensors: Mapping[str, StoredTensor]


def find_weights(folder: Path, *, loader: str = "AutoModelForCausalLM") -> WeightFiles:
    """The weight files of a folder, with every header checked against its file.

    `loader` is the class of transformers that converts pickled weights of the folder, for the error's next step.
    Raises `CheckpointError` naming the file: none there, pickles only, a shard missing or outside of the folder, a
    header that is too long, malformed, or lies about the bytes that follow.
    """
    if (folder / SINGLE).is_symlink() or (folder / SINGLE).exists():
        tensors = read_header(safe_file(folder, SINGLE))
        names: tuple[str, ...] = (SINGLE,)
    elif (folder / INDEX).is_symlink() or (folder / INDEX).exists():
        tensors, names = _read_shards(folder)
    else:
        raise _no_weights(folder, loader)
    if not tensors:
        raise CheckpointError("holds no tensors", place=folder / names[0], fix=AGAIN)
    size = sum((folder / name).stat().st_size for name in names if name != INDEX)
    return WeightFiles(names=names, size_bytes=size, tensors=tensors)


def _no_weights(folder: Path, loader: str) -> CheckpointError:
    pickles = sorted(
        path.name for pattern in PICKLES for path in folder.glob(pattern) if path.name != "training_args.bin"
    )
    if not pickles:
        return CheckpointError(
            f"holds no weights (neither {SINGLE} nor {INDEX})",
            place=folder,
            fix="Give the folder that save_pretrained wrote, or download the checkpoint again",
        )
    code = f"import sys; from transformers import {loader} as M; f = sys.argv[1]; "
    code += "M.from_pretrained(f).save_pretrained(f)"
    command = shlex.join(["python", "-c", code, str(folder)])
    return CheckpointError(
        f"has its weights as a pickle only ({pickles[0]}), which can run code when it is loaded",
        place=folder,
        fix=f"If you trust its publisher, convert it once with `{command}`, or take a safetensors version of it",
    )


def _read_shards(folder: Path) -> tuple[dict[str, StoredTensor], tuple[str, ...]]:
    index = safe_file(folder, INDEX)
    listed = read_object(index, limit_bytes=64 << 20).get("weight_map")
    if not isinstance(listed, dict) or not all(isinstance(name, str) for name in listed.values()):
        raise CheckpointError("has no weight_map of tensor names to file names", place=index, fix=AGAIN)
    shards = sorted(set(listed.values()))
    tensors: dict[str, StoredTensor] = {}
    for shard in shards:
        if Path(shard).name != shard or not shard.endswith(".safetensors"):
            raise CheckpointError(
                f"names {shard!r}, which is not a safetensors file of the same folder", place=index, fix=AGAIN
            )
        if not (folder / shard).is_symlink() and not (folder / shard).exists():
            raise CheckpointError(
                f"the shard is missing; {INDEX} names it", place=folder / shard, fix="Download or copy this file too"
            )
        found = read_header(safe_file(folder, shard))
        if twice := sorted(found.keys() & tensors.keys()):
            raise CheckpointError(f"holds {twice[0]}, as another shard does", place=folder / shard, fix=AGAIN)
        tensors.update(found)
    wrong = next(
        (name for name, shard in listed.items() if name not in tensors or tensors[name].file.name != shard), None
    )
    if wrong is not None:
        raise CheckpointError(f"says that {listed[wrong]} holds {wrong}, which it doesn't", place=index, fix=AGAIN)
    return tensors, (INDEX, *shards)


def read_header(path: Path) -> dict[str, StoredTensor]:
    """The tensors of one safetensors file, by name. Raises `CheckpointError` for a header that can't be trusted."""
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if size < 8 or length > size - 8:
                raise CheckpointError(
                    f"is truncated: its header needs {length + 8:,} bytes and it has {size:,}", place=path, fix=AGAIN
                )
            if length > MAX_HEADER_BYTES:
                raise CheckpointError(
                    f"has a header of {length:,} bytes; the limit is {MAX_HEADER_BYTES:,}", place=path, fix=AGAIN
                )
            text = stream.read(length)
    except OSError as error:
        raise CheckpointError(f"can't be read ({error.strerror})", place=path, fix="Check its permissions") from error
    try:
        entries = json.loads(text.decode(), object_pairs_hook=distinct)
        tensors = [
            _tensor(name, entry, path, start=8 + length) for name, entry in entries.items() if name != "__metadata__"
        ]
    except (AttributeError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise CheckpointError(f"has a malformed header ({error})", place=path, fix=AGAIN) from error
    _check_layout(path, tensors, start=8 + length, size=size)
    return {tensor.name: tensor for tensor in tensors}


def stored_tensors(folder: Path, files: Iterable[str]) -> dict[str, StoredTensor]:
    """The tensors of those of the `files` that hold weights, by name."""
    return {
        name: tensor
        for file in files
        if file.endswith(".safetensors")
        for name, tensor in read_header(folder / file).items()
    }


def _tensor(name: str, entry: dict[str, Any], path: Path, *, start: int) -> StoredTensor:
    shape, (begin, end), dtype = entry["shape"], entry["data_offsets"], entry["dtype"]
    if not all(type(number) is int and number >= 0 for number in (*shape, begin, end)):
        raise ValueError(f"{name} has a shape or offset that is no natural number")
    if len(shape) > MAX_DIMENSIONS:
        raise ValueError(f"{name} has {len(shape):,} dimensions; the limit is {MAX_DIMENSIONS}")
    if dtype not in BITS:
        raise ValueError(f"{name} has the unknown dtype {dtype!r}")
    tensor = StoredTensor(
        name=name, dtype=dtype, shape=tuple(shape), file=path, offset=start + begin, size_bytes=end - begin
    )
    if tensor.count * BITS[dtype] != tensor.size_bytes * 8:
        raise ValueError(f"{name} is {dtype} of shape {shape}, yet has {tensor.size_bytes:,} bytes")
    return tensor


def _check_layout(path: Path, tensors: list[StoredTensor], *, start: int, size: int) -> None:
    reached = start
    for tensor in sorted(tensors, key=lambda tensor: (tensor.offset, tensor.size_bytes)):
        if tensor.offset != reached:
            raise CheckpointError(f"{tensor.name} overlaps another tensor or leaves a hole", place=path, fix=AGAIN)
        reached += tensor.size_bytes
    if reached != size:
        raise CheckpointError(
            f"is truncated or has bytes too many: its header describes {reached:,} bytes and it has {size:,}",
            place=path,
            fix=AGAIN,
        )
