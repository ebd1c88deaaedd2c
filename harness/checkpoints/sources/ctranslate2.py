"""Reads weight files of CTranslate2: named arrays, one after the other, in little-endian order."""

import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import CheckpointError

__all__ = ["Arrays", "read_arrays"]

Arrays = Mapping[str, NDArray[Any]]

_TYPES: Mapping[int, type[np.generic]] = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}
_VERSION = 6
_MAX_ARRAYS = 10_000
_MAX_RANK = 8


def read_arrays(path: Path, spec: str) -> Arrays:
    """Every array of a file that holds a model of the kind `spec` (such as `WhisperSpec`), by its name.

    An array's alias is another name for it. Raises `CheckpointError` for a file that isn't one, that ends early, or
    whose counts its own size doesn't bear out.
    """
    with path.open("rb") as stream:
        try:
            return _arrays(stream, path.stat().st_size, spec)
        except (struct.error, UnicodeDecodeError, ValueError) as error:
            raise CheckpointError(
                f"is no weight file of CTranslate2's {spec} ({error})", place=path, fix="Fetch it again"
            ) from error


def _arrays(stream: IO[bytes], size_bytes: int, spec: str) -> Arrays:
    version, found = _number(stream, "I"), _text(stream)
    if version != _VERSION or found != spec:
        raise ValueError(f"it holds {found[:40]!r} of version {version}")
    _number(stream, "I")  # the revision of the spec
    arrays: dict[str, NDArray[Any]] = {}
    for _ in range(_bounded(_number(stream, "I"), _MAX_ARRAYS, "arrays")):
        name = _text(stream)
        shape = [_number(stream, "I") for _ in range(_bounded(_number(stream, "B"), _MAX_RANK, "dimensions"))]
        code, length = _number(stream, "B"), _bounded(_number(stream, "I"), size_bytes, "bytes")
        if code not in _TYPES:
            raise ValueError(f"{name} has numbers of the unknown type {code}")
        kind = np.dtype(_TYPES[code]).newbyteorder("<")
        if math.prod(shape) * kind.itemsize != length:
            raise ValueError(f"{name} has {length} bytes for the shape {shape}")
        arrays[name] = np.frombuffer(_bytes(stream, length), kind).reshape(shape)
    for _ in range(_bounded(_number(stream, "I"), _MAX_ARRAYS, "aliases")):
        alias, name = _text(stream), _text(stream)
        if name not in arrays:
            raise ValueError(f"{alias} is another name for {name}, which isn't there")
        arrays[alias] = arrays[name]
    return arrays


def _number(stream: IO[bytes], form: str) -> int:
    return int(struct.unpack(f"<{form}", stream.read(struct.calcsize(form)))[0])


def _text(stream: IO[bytes]) -> str:
    """A text behind its length in bytes, the zero that ends it counted."""
    return _bytes(stream, _number(stream, "H")).removesuffix(b"\0").decode()


def _bytes(stream: IO[bytes], length: int) -> bytes:
    found = stream.read(length)
    if len(found) != length:
        raise ValueError("it ends early")
    return found


def _bounded(count: int, most: int, what: str) -> int:
    if count > most:
        raise ValueError(f"{count:,} {what} are too many")
    return count
