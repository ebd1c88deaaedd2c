"""Bounds of any smooth statistic that hold at every moment, approximately, from many samples on."""

import math

__all__ = ["asymptotic_log_wealth", "asymptotic_radius"]


def asymptotic_radius(stderr: float, count: int, confidence: float, planned_count: int) -> float:
    """How far beyond a statistic of `count` units the truth lies at any moment, on one side, with a chance of at most
    1 - `confidence`.

    `stderr` is its standard error, in whose unit the answer is. The bound is that of an asymptotic confidence sequence
    (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, 2024, one-sided): like the intervals of tables it follows from the
    normal law, and holds the better the later one first looks. It is narrowest about `planned_count` units.
    """
    scale = _scale(count, confidence, planned_count)
    return stderr * math.sqrt(2 * scale / (scale - 1) * math.log1p(math.sqrt(scale) / (2 * (1 - confidence))))


def asymptotic_log_wealth(distance: float, stderr: float, count: int, confidence: float, planned_count: int) -> float:
    """The logarithm of the evidence against a truth that lies `distance` >= 0 beyond a statistic, on one side.

    It reaches -log(1 - `confidence`) just where `distance` reaches the radius; other levels hold as well, for which the
    bounds are not the narrowest. 0 at the least.
    """
    if not stderr:
        return math.inf if distance > 0 else 0.0
    scale = _scale(count, confidence, planned_count)
    power = (distance / stderr) ** 2 * (scale - 1) / (2 * scale)
    if not power:
        return 0.0
    # log(2 * (exp(power) - 1) / sqrt(scale)), without an overflow.
    return max(0.0, math.log(2) + power + math.log(-math.expm1(-power)) - math.log(scale) / 2)


def _scale(count: int, confidence: float, planned_count: int) -> float:
    alpha = 1 - confidence
    # The mixture's spread for which the two-sided bound is narrowest at the planned count, by its leading terms.
    inner = -2 * math.log(2 * alpha)
    spread = (inner + math.log1p(inner)) / planned_count if inner > 0 else 1 / planned_count
    return count * spread + 1
