"""By how much two ways of computing the same thing may differ, and what is said of numbers that are none."""

from typing import Any

from harness.core.models import tolerance_nats

__all__ = ["NOT_FINITE", "tolerance"]

NOT_FINITE = "the model's logits are NaN or infinite"


def tolerance(dtype: Any) -> float:
    """As `tolerance_nats`, of a torch type; for self-checks, on a few short sequences."""
    return tolerance_nats(str(dtype).removeprefix("torch."))
