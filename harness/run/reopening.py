"""How the checkpoint of a run is opened, the first time and again."""

from harness.checkpoints.loading.placement import WHOLE, Spread
from harness.core.checkpoints import Checkpoint
from harness.core.models import ModelOptions
from harness.record import RunSpec

__all__ = ["model_options"]


def model_options(
    spec: RunSpec, *, trust_remote_code: bool, reference: Checkpoint | None = None, spread: Spread = WHOLE
) -> ModelOptions:
    """How the checkpoint of a run is opened, by its spec, beside the `reference` if there is one.

    How the weights are `spread` is no part of a spec: it changes no more than rounding.
    """
    return ModelOptions(
        dtype=spec.dtype,
        device=spec.device,
        device_map=spread.device_map,
        tensor_parallel=spread.tensor_parallel,
        batch_tokens=spec.batch_tokens,
        apply_chat_template=spec.apply_chat_template,
        system_prompt=spec.system_prompt,
        thinking=spec.thinking,
        chat_date=spec.chat_date,
        trust_remote_code=trust_remote_code,
        reference=reference,
        reference_dtype=spec.reference["dtype"] if spec.reference else "auto",
    )
