"""Looks for NaN and infinity in the weights, in one pass over the files."""

from collections.abc import Iterable

import numpy as np

from harness.checkpoints.headers import StoredTensor
from harness.core.errors import CheckpointError

__all__ = ["scan_tensors"]

CHUNK_NUMBERS = 1 << 19
NOT_FINITE: dict[str, tuple[type[np.unsignedinteger], int]] = {
    "F64": (np.uint64, 0x7FF0_0000_0000_0000),
    "F32": (np.uint32, 0x7F80_0000),
    "F16": (np.uint16, 0x7C00),
    "BF16": (np.uint16, 0x7F80),
    "F8_E5M2": (np.uint8, 0x7C),
    "F8_E4M3": (np.uint8, 0x7F),
    "F8_E8M0": (np.uint8, 0xFF),
}
"""For each dtype, the bits that are all set in NaN and infinity and in no other number (IEEE 754; OCP OFP8 and MX)."""


def scan_tensors(tensors: Iterable[StoredTensor]) -> None:
    """Refuse tensors of which any holds NaN or infinity; a model with one gives answers that mean nothing.

    Reads them once, a few megabytes at a time. Raises `CheckpointError` naming the first tensor at fault and how many
    of its numbers are.
    """
    bad = [(tensor, count) for tensor in tensors if (count := _count(tensor))]
    if not bad:
        return
    tensor, count = bad[0]
    others = f", and so have {len(bad) - 1} other tensors" if len(bad) > 1 else ""
    raise CheckpointError(
        f"{tensor.name} has {count:,} of {tensor.count:,} weights that are NaN or infinite{others}",
        place=tensor.file,
        fix="Its training diverged or its conversion overflowed: take an earlier checkpoint, or convert it again",
    )


def _count(tensor: StoredTensor) -> int:
    if tensor.dtype not in NOT_FINITE:
        return 0
    integer, mask = NOT_FINITE[tensor.dtype]
    bits = np.dtype(integer).newbyteorder("<")
    found, left = 0, tensor.count
    with tensor.file.open("rb") as stream:
        stream.seek(tensor.offset)
        while left:
            numbers = np.fromfile(stream, dtype=bits, count=min(left, CHUNK_NUMBERS))
            if not len(numbers):
                raise CheckpointError("became shorter while it was read", place=tensor.file, fix="Copy it again")
            found += int(np.count_nonzero((numbers & integer(mask)) == integer(mask)))
            left -= len(numbers)
    return found
