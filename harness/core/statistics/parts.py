"""Means over independent parts, each with an interval of its own."""

import math
from collections.abc import Sequence

from harness.core.statistics.intervals import Difference, Interval
from harness.core.text.reasons import Reason

__all__ = ["mean_of_parts"]


def mean_of_parts(parts: Sequence[Interval | Difference], weights: Sequence[float] | None = None) -> Interval:
    """The mean of k >= 1 independent numbers, each counting by its weight; alike by default.

    Its interval recovers the parts' variances from their own intervals (MOVER; Zou and Donner, 2008), so that it is
    no wider than they allow, and not of zero width where theirs are not. That of a single part is its own. Without an
    interval where a part has none, and without a standard error where a part has none.
    """
    if len(parts) == 1 and isinstance(parts[0], Interval):
        return parts[0]
    counts = [1.0] * len(parts) if weights is None else weights
    shares = [count / math.fsum(counts) for count in counts]
    value = math.fsum(share * part.value for share, part in zip(shares, parts, strict=True))
    return Interval(
        value=value,
        stderr=_root(shares, [part.stderr for part in parts]),
        low=_end(value, -1, shares, [None if part.low is None else part.value - part.low for part in parts]),
        high=_end(value, 1, shares, [None if part.high is None else part.high - part.value for part in parts]),
        method=Reason("mean of {count} tasks", count=len(parts)),
    )


def _end(value: float, side: int, shares: Sequence[float], widths: Sequence[float | None]) -> float | None:
    width = _root(shares, widths)
    return None if width is None else value + side * width


def _root(shares: Sequence[float], widths: Sequence[float | None]) -> float | None:
    """The root of the sum of squares; None where any is missing."""
    known = [share * width for share, width in zip(shares, widths, strict=True) if width is not None]
    return math.hypot(*known) if len(known) == len(widths) else None
