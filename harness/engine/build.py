"""From a resolved checkpoint to the model that a run asks."""

from harness.checkpoints.load import load
from harness.core.checkpoints import Checkpoint
from harness.core.meters import Meter
from harness.core.models import Model
from harness.engine.causal import CausalModel
from harness.engine.chat import ChatModel

__all__ = ["build_model"]


def build_model(
    checkpoint: Checkpoint,
    *,
    dtype: str,
    device: str,
    batch_tokens: int,
    apply_chat_template: bool,
    trust_remote_code: bool,
    meter: Meter,
) -> Model:
    """Load the checkpoint and make it answer requests. Raises `CheckpointError`."""
    loaded = load(checkpoint, dtype=dtype, device=device, trust_remote_code=trust_remote_code)
    model = CausalModel(loaded, batch_tokens=batch_tokens, meter=meter)
    return ChatModel(model, loaded.tokenizer) if apply_chat_template else model
