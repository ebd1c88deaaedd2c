"""Which number format a checkpoint is computed in."""

from harness.core.checkpoints import Checkpoint
from harness.core.errors import InputError

__all__ = ["DTYPES", "resolve_dtype"]

DTYPES = ("float32", "bfloat16", "float16")


def resolve_dtype(checkpoint: Checkpoint, requested: str, *, device: str = "cpu") -> str:
    """The format to compute in: one of `DTYPES`.

    `auto` is the checkpoint's own, but for float16 on a processor, where it is slow and overflows, and for formats that
    are only stored in (float64, 8-bit): both become float32. Raises `InputError` for any other word.
    """
    if requested in DTYPES:
        return requested
    if requested != "auto":
        raise InputError(f"no such dtype: {requested}", place="--dtype", fix=f"Choose auto, {', '.join(DTYPES)}")
    if checkpoint.dtype not in DTYPES or (checkpoint.dtype == "float16" and device == "cpu"):
        return "float32"
    return checkpoint.dtype
