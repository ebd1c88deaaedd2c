"""What a causal model can't write, and why."""

from harness.core.requests import GenerateUntil
from harness.core.text.reasons import Reason

__all__ = ["no_beams", "no_room"]


def no_room(request: GenerateUntil, window: int) -> str | None:
    """Why nothing is written where what is asked for fills a window of so many tokens; None where a prompt fits."""
    if request.max_tokens < window:
        return None
    return Reason(
        "{count} tokens to write leave no room for a prompt in a window of {window}",
        count=request.max_tokens,
        window=window,
    )


def no_beams(request: GenerateUntil) -> str | None:
    """Why nothing is written with beams; None without any."""
    return "this model is not written with beams" if request.num_beams > 1 else None
