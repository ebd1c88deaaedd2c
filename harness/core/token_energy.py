"""Energy of a token: what windows say of it, and when they say enough."""

from collections.abc import Sequence

from harness.core import statistics
from harness.core.meters import Window
from harness.core.statistics import Interval

__all__ = ["AIM", "ENCODE", "MIN_WINDOWS", "SERVE", "STAGES", "half_width", "is_settled"]

STAGES = ("prefill", "decode")

ENCODE = "encode"
"""The stage in which tokens are made of pictures and sounds, where a model makes them by themselves."""

SERVE = "serve"
"""The stage of a server that reads for some requests while it writes for others: its tokens are those written."""

AIM = 0.05
"""An interval of joules per token should reach no farther than this share of the value to either side."""

MIN_WINDOWS = 4
"""Fewer agree too often by chance for a rule that stops at the first narrow interval."""


def half_width(interval: Interval) -> float | None:
    """How far an interval reaches to its farther side, as a share of its value; None where it has neither."""
    if interval.low is None or interval.high is None or interval.value <= 0:
        return None
    return max(interval.high - interval.value, interval.value - interval.low) / interval.value


def is_settled(windows: Sequence[Window], stage: str) -> bool:
    """Whether at least `MIN_WINDOWS` windows of the stage give joules per token to within `AIM`; so does no stage."""
    used = [window for window in windows if window.stage == stage and window.energy_joules is not None]
    if not any(window.token_count for window in used):
        return True
    joules = [window.energy_joules or 0.0 for window in used]
    width = half_width(statistics.ratio(joules, [window.token_count for window in used]))
    return len(used) >= MIN_WINDOWS and width is not None and width <= AIM
