"""What the harness makes of one checkpoint: whether it loads, and which way its requests will be read."""

from harness.checkpoints import resolve, resolve_dtype
from harness.checkpoints.load import load
from harness.core.checkpoints import Checkpoint
from harness.doctor import Finding
from harness.engine.causal import CausalModel
from harness.engine.devices import default_batch_tokens, resolve_device

__all__ = ["examine_model"]

_GB = 1e9


def examine_model(ref: str, *, offline: bool) -> list[Finding]:
    """Resolve and load a checkpoint, and try the packed way against the plain one. Raises `CheckpointError`."""
    checkpoint = resolve(ref, offline=offline)
    device = resolve_device("auto")
    dtype = resolve_dtype(checkpoint, "auto", device=device)
    model = CausalModel(load(checkpoint, dtype=dtype, device=device), batch_tokens=default_batch_tokens(device))
    return [_identity(checkpoint), _weights(checkpoint, dtype, device), _way(model.plain_reason)]


def _identity(checkpoint: Checkpoint) -> Finding:
    template = "with" if checkpoint.has_chat_template else "without"
    detail = f"{checkpoint.architecture} ({checkpoint.kind}), {template} a chat template, {checkpoint.origin}"
    return Finding(name="checkpoint", status="ok", detail=detail)


def _weights(checkpoint: Checkpoint, dtype: str, device: str) -> Finding:
    detail = (
        f"{checkpoint.parameter_count:,} parameters, {checkpoint.size_bytes / _GB:.2f} GB as {checkpoint.dtype}, "
        f"computed in {dtype} on {device}; a window of {checkpoint.max_length:,} tokens"
    )
    return Finding(name="weights", status="ok", detail=detail)


def _way(plain_reason: str | None) -> Finding:
    if plain_reason is None:
        detail = "packed: what requests share is read once; agrees with the plain way on a self-check"
        return Finding(name="reading", status="ok", detail=detail)
    return Finding(name="reading", status="limited", detail=f"plain, each request by itself: {plain_reason}")
