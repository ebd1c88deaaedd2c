"""Many comparisons at once."""

from collections.abc import Sequence

import numpy as np

__all__ = ["holm"]


def holm(p_values: Sequence[float]) -> list[float]:
    """The p values of a family of tests, each raised so that a level holds for all together (Holm, 1979).

    Among those at or below 5 %, the chance of any false alarm is at most 5 %, however the tests depend on each other.
    The order is that of the argument.
    """
    if not p_values:
        return []
    given = np.asarray(p_values, dtype=float)
    order = np.argsort(given, kind="stable")
    raised = np.maximum.accumulate(given[order] * np.arange(len(given), 0, -1))
    adjusted = np.empty_like(given)
    adjusted[order] = np.minimum(raised, 1.0)
    return [float(value) for value in adjusted]
