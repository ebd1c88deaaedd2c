"""One-sided bounds, and what they say about a threshold."""

from typing import Literal

__all__ = ["Standing", "standing", "two_sided"]

Standing = Literal["clears", "beyond", "undecided"]
"""All of an interval on the good side of a threshold, all on the bad side, or the threshold inside it."""


def two_sided(one_sided: float) -> float:
    """The confidence of the two-sided interval whose ends are bounds of that one-sided confidence: 0.90 for 0.95."""
    return 2 * one_sided - 1


def standing(low: float, high: float, *, floor: float | None = None, ceiling: float | None = None) -> Standing:
    """Where an interval stands: at or above the floor and at or below the ceiling, beyond one of them, or undecided.

    For differences with a floor of -margin it is the test of non-inferiority; with a floor and a ceiling it is that
    of equivalence by two one-sided tests (Schuirmann, 1987).
    """
    if (floor is None or low >= floor) and (ceiling is None or high <= ceiling):
        return "clears"
    if (floor is not None and high < floor) or (ceiling is not None and low > ceiling):
        return "beyond"
    return "undecided"
