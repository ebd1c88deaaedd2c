"""Whether a model's weights have room in this machine's memory, known before anything is built."""

from pathlib import Path

import psutil

from harness.core.checkpoints import Checkpoint
from harness.core.errors import CheckpointError

__all__ = ["memory_bytes", "refuse_oversize"]

CONTAINER = Path("/sys/fs/cgroup/memory.max")
BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}


def memory_bytes() -> int:
    """The memory of this machine, or of the container that this process is in, whichever is less."""
    total = int(psutil.virtual_memory().total)
    try:
        return min(total, int(CONTAINER.read_text(encoding="ascii")))
    except (OSError, ValueError):  # there is no container, or it has no limit
        return total


def refuse_oversize(checkpoint: Checkpoint, dtype: str, device: str) -> None:
    """Refuse a model whose weights in `dtype` can't fit the memory, for a `device` that uses the machine's own.

    Without this, the system would end the process without a word. Weights that are quantised count as they are stored.
    Raises `CheckpointError`.
    """
    if device != "cpu" or checkpoint.parameter_count is None:
        return
    needed = checkpoint.parameter_count * BYTES.get(dtype, 4)
    if checkpoint.config.get("quantization_config"):
        needed = checkpoint.size_bytes or 0
    if needed > (there := memory_bytes()):
        raise CheckpointError(
            f"its weights take {needed / 1e9:,.1f} GB in {dtype}, and there are {there / 1e9:,.1f} GB of memory",
            place=checkpoint.path,
            fix="Use --dtype bfloat16, a quantised or a smaller checkpoint, or a machine with more memory",
        )
