"""A value with its error, as every statistic gives it."""

from dataclasses import dataclass

__all__ = ["CONFIDENCE", "UPPER", "Interval"]

CONFIDENCE = 0.95

UPPER = (1 + CONFIDENCE) / 2
"""Where a two-sided interval cuts the upper tail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A value, its standard error and its interval; `method` names how the interval was made.

    The errors are None where the data hold none: a single sample or a single cluster.
    """

    value: float
    stderr: float | None
    low: float | None
    high: float | None
    method: str | None
