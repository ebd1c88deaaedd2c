"""Many hypotheses at once, each with its wealth."""

from collections.abc import Sequence

import numpy as np

__all__ = ["e_holm"]


def e_holm(log_wealths: Sequence[float]) -> list[float]:
    """The logarithms of the wealth that count for each of k hypotheses, so that a level holds for all together.

    Holm's method with e-values (Vovk and Wang, 2021, for a level that was fixed beforehand): the largest wealth is
    divided by k, the next by k - 1, and none may count for more than one before it. Whatever reaches 1 / alpha is
    refuted, and the chance that any true hypothesis is among these, at any moment, is at most alpha, however they
    depend on each other. The order is that of the argument.
    """
    if not log_wealths:
        return []
    given = np.asarray(log_wealths, dtype=float)
    order = np.argsort(-given, kind="stable")
    lowered = np.minimum.accumulate(given[order] - np.log(np.arange(len(given), 0, -1)))
    found = np.empty_like(given)
    found[order] = lowered
    return [float(value) for value in found]
