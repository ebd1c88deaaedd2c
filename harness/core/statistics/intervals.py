"""A value with its error, as every statistic gives it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from scipy import special

from harness.core.text.reasons import Reason

__all__ = ["CONFIDENCE", "UPPER", "Difference", "Interval", "named", "p_value_of", "scaled", "upper_tail"]

CONFIDENCE = 0.95

_LEAST, _MOST = 1e-6, 6.0
"""Normal quantiles between which a p value is looked for."""

UPPER = (1 + CONFIDENCE) / 2
"""Where a two-sided interval cuts the upper tail."""


def upper_tail(confidence: float) -> float:
    """Where a two-sided interval of that confidence, in (0, 1), cuts the upper tail."""
    return (1 + confidence) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A value, its standard error and its interval; `method` names how the interval was made.

    The errors are None where the data hold none: a single sample or a single cluster. `left_out` and `p_value` are as
    those of an `Estimate`.
    """

    value: float
    stderr: float | None
    low: float | None
    high: float | None
    method: str | None
    left_out: tuple[str, ...] = ()
    p_value: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """By how much the second of two values lies above the first, with its error.

    `p_value` is two-sided, against no difference. `n` samples gave it, in `cluster_count` independent clusters (`n` of
    them where none is shared). Errors and p value are None where the data hold none.
    """

    value: float
    stderr: float | None
    low: float | None
    high: float | None
    p_value: float | None
    method: str | None
    n: int
    cluster_count: int


def named(method: str, *, clustered: bool) -> str:
    """How an interval was made, which says so where samples are clustered."""
    return Reason("{method}, clustered", method=method) if clustered else method


Measured = TypeVar("Measured", Interval, Difference)


def scaled(found: Measured, factor: float) -> Measured:
    """The same in a unit `factor` (above 0) times as small: 100 for a share in percent."""

    def times(value: float | None) -> float | None:
        return None if value is None else factor * value

    return replace(
        found,
        value=factor * found.value,
        stderr=times(found.stderr),
        low=times(found.low),
        high=times(found.high),
    )


def p_value_of(at: Callable[[float], Interval]) -> float:
    """The two-sided p value of no difference: the level of the interval, `at` its confidence, that just reaches 0."""
    # Imported late: it takes 40 MB, and few runs need it.
    from scipy.optimize import brentq

    def beyond(normal: float) -> float:
        """How far the interval ends from 0, on the value's side of it; below 0 once it holds it."""
        found = at(1 - 2 * float(special.ndtr(-normal)))
        end = found.low if found.value > 0 else found.high
        return (0.0 if end is None else end) * (1 if found.value > 0 else -1)

    if beyond(_LEAST) <= 0:
        return 1.0
    if beyond(_MOST) >= 0:
        return 2 * float(special.ndtr(-_MOST))
    return 2 * float(special.ndtr(-float(brentq(beyond, _LEAST, _MOST, xtol=1e-7))))
