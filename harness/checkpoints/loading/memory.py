"""Whether a model's weights have room in this machine's memory, known before anything is built."""

import math
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil
import pynvml

from harness.core.checkpoints import Checkpoint
from harness.core.errors import CheckpointError

__all__ = [
    "DISK",
    "bytes_in_bits",
    "memory_bytes",
    "refuse_misfit",
    "refuse_oversize",
    "rooms_here",
    "told_fit",
    "weight_bytes",
    "what_fits",
]

CONTAINER = Path("/sys/fs/cgroup/memory.max")
BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
BITS = (32, 16, 8, 4)
"""Widths that weights come in."""
DISK = "disk"
GPU_SHARE = 0.9
"""Of a GPU's free memory; the rest is for what is computed there."""
_GB = 1e9


def memory_bytes() -> int:
    """The memory of this machine, or of the container that this process is in, whichever is less."""
    total = int(psutil.virtual_memory().total)
    try:
        return min(total, int(CONTAINER.read_text(encoding="ascii")))
    except (OSError, ValueError):  # there is no container, or it has no limit
        return total


def rooms_here() -> dict[str, int]:
    """Bytes that weights may take on this machine: of each GPU's free memory nine tenths, and the machine's own memory.

    torch, which takes seconds to import, is asked only where there is a driver of NVIDIA's.
    """
    found: dict[str, int] = {}
    with suppress(pynvml.NVMLError):
        pynvml.nvmlInit()
        pynvml.nvmlShutdown()
        import torch

        for index in range(torch.cuda.device_count()):
            free = torch.cuda.mem_get_info(index)[0]
            free += torch.cuda.memory_reserved(index) - torch.cuda.memory_allocated(index)  # torch keeps it for itself
            found[f"cuda:{index}"] = int(free * GPU_SHARE)
    return {**found, "cpu": memory_bytes()}


def weight_bytes(checkpoint: Checkpoint, dtype: str) -> int | None:
    """Bytes that the weights take in `dtype`, or as they are stored where they are quantised; None where not known."""
    if checkpoint.config.get("quantization_config"):
        return checkpoint.size_bytes
    return None if checkpoint.parameter_count is None else checkpoint.parameter_count * BYTES.get(dtype, 4)


def bytes_in_bits(checkpoint: Checkpoint) -> Mapping[int, int]:
    """Bytes of its weights in each width, the scales of quantised ones apart; empty where their number isn't known."""
    return {bits: -(-checkpoint.parameter_count * bits // 8) for bits in BITS} if checkpoint.parameter_count else {}


def refuse_oversize(checkpoint: Checkpoint, dtype: str, device: str) -> None:
    """Refuse a model whose weights in `dtype` can't fit the memory of the `device`, where that is known.

    Without this, the system would end the process without a word where the memory is the machine's own. Raises
    `CheckpointError`.
    """
    if device == "cpu":
        refuse_misfit(checkpoint, dtype, {"cpu": memory_bytes()})
    elif device.startswith("cuda"):
        import torch

        # All that the card has: what is free hangs on what else is loaded just now.
        whole = torch.cuda.get_device_properties(device).total_memory
        refuse_misfit(checkpoint, dtype, {device: int(whole)})


def refuse_misfit(checkpoint: Checkpoint, dtype: str, rooms: Mapping[str, int | None]) -> None:
    """Refuse weights that the `rooms`, in bytes by device, can't hold together, with what would fit.

    A room of None has no limit. Raises `CheckpointError`.
    """
    needed = weight_bytes(checkpoint, dtype)
    if needed is None or None in rooms.values():
        return
    known = {name: room for name, room in rooms.items() if room is not None}
    if needed <= (there := sum(known.values())):
        return
    parts = f" ({', '.join(f'{name} {_told(room)}' for name, room in known.items())})" if len(known) > 1 else ""
    raise CheckpointError(
        f"its weights take {_told(needed)} in {dtype}, and there are {_told(there)} of memory{parts}",
        place=checkpoint.path,
        fix=f"{what_fits(checkpoint, needed, known)}; --device-map auto,disk leaves the rest on disk, slowly",
    )


def told_fit(checkpoint: Checkpoint, needed: int, rooms: Mapping[str, int]) -> str:
    """Whether `rooms` hold weights of `needed` bytes, each by itself or together, and what would; in words."""
    alone = [f"{name} ({_told(room)})" for name, room in rooms.items() if room >= needed]
    if alone:
        return f"fits on {' or '.join(alone)}"
    if sum(rooms.values()) >= needed:
        return "fits on no device by itself, on all together with --device-map auto"
    return f"doesn't fit here. {what_fits(checkpoint, needed, rooms)}"


def what_fits(checkpoint: Checkpoint, needed: int, rooms: Mapping[str, int]) -> str:
    """What would hold weights that take `needed` bytes, in words: fewer bits here, or more devices."""
    largest, there = max(rooms.values()), sum(rooms.values())
    smaller = [(bits, size) for bits, size in bytes_in_bits(checkpoint).items() if size <= there and size < needed]
    said = "No fewer bits fit here"
    if smaller:
        bits, size = smaller[0]
        how = "--dtype bfloat16" if bits == 16 else f"a checkpoint in {bits} bits"
        said = f"Use {how} ({_told(size)})"
    more = math.ceil(needed / largest)
    return f"{said}, or {more} devices of {_told(largest)}, or one of {_told(needed)}"


def _told(size_bytes: float) -> str:
    return f"{size_bytes / _GB:,.3g} GB" if size_bytes < 1000 * _GB else f"{size_bytes / _GB:,.0f} GB"
