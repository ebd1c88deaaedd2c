"""Bounds of any smooth statistic that hold at every moment, approximately, from many samples on."""

import math

__all__ = ["asymptotic_radius"]


def asymptotic_radius(stderr: float, count: int, confidence: float, planned_count: int) -> float:
    """How far beyond a statistic of `count` units the truth lies at any moment, on one side, with a chance of at most
    1 - `confidence`.

    `stderr` is its standard error, in whose unit the answer is. The bound is that of an asymptotic confidence sequence
    (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, 2024, one-sided): like the intervals of tables it follows from the
    normal law, and holds the better the later one first looks. It is narrowest about `planned_count` units.
    """
    alpha = 1 - confidence
    # The mixture's spread for which the two-sided bound is narrowest at the planned count, by its leading terms.
    inner = -2 * math.log(2 * alpha)
    spread = (inner + math.log1p(inner)) / planned_count if inner > 0 else 1 / planned_count
    scale = count * spread + 1
    return stderr * math.sqrt(2 * scale / (scale - 1) * math.log1p(math.sqrt(scale) / (2 * alpha)))
