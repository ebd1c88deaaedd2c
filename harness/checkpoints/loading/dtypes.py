"""Which number format a checkpoint is computed in."""

from harness.core.checkpoints import Checkpoint
from harness.core.errors import InputError

__all__ = ["DTYPES", "SERVED", "resolve_dtype"]

SERVED = "served"
"""The dtype, the device and the architecture of a model that is served: the server's own affair."""

DTYPES = ("float32", "bfloat16", "float16")


def resolve_dtype(checkpoint: Checkpoint, requested: str, *, device: str = "cpu") -> str:
    """The format to compute in: one of `DTYPES`.

    `auto` is the checkpoint's own, but for float16 on a processor, where it is slow and overflows, and for formats that
    are only stored in (float64, 8-bit): both become float32. Where the model is served, it is the server's own, which
    can't be chosen. Raises `InputError` for any other word.
    """
    if checkpoint.dtype == SERVED:
        if requested != "auto":
            raise InputError("the server chooses that", place=f"--dtype {requested}", fix="Leave it out")
        return SERVED
    if requested in DTYPES:
        return requested
    if requested != "auto":
        raise InputError(f"no such dtype: {requested}", place="--dtype", fix=f"Choose auto, {', '.join(DTYPES)}")
    if checkpoint.dtype not in DTYPES or (checkpoint.dtype == "float16" and device == "cpu"):
        return "float32"
    return checkpoint.dtype
