"""How many samples it takes to decide, before anyone runs anything."""

import math

from scipy import special

from harness.core.statistics.intervals import CONFIDENCE

__all__ = ["POWER", "design_effect", "more_samples", "rule_of_three", "samples_for_margin", "told_distance"]

POWER = 0.8
_MOST = 1e12
"""Samples that no data set has."""


def samples_for_margin(
    discordance: float, margin: float, *, power: float = POWER, confidence: float = CONFIDENCE, effect: float = 1.0
) -> int:
    """Samples that show two equal models to be within `margin` of each other (non-inferiority), with that `power`.

    `discordance` in (0, 1] is the share of samples whose score differs between the two; `margin`, above 0, is in the
    unit of the score. It is (z of confidence + z of power)^2 x discordance / margin^2, about 6.18 d / m^2, times the
    design `effect` of clusters. Raises `ValueError` for numbers out of range.
    """
    if not (0 < discordance <= 1 and 0 < margin < math.inf and 0 < power < 1 and 0.5 < confidence < 1 and effect >= 1):
        raise ValueError("discordance, power and confidence are shares, the margin is above 0, the effect at least 1")
    n = (_quantiles(power, confidence) / margin) * (_quantiles(power, confidence) / margin) * discordance * effect
    if not n < _MOST:
        raise ValueError(
            f"no data has the {n:.1g} samples that it would take: take a wider margin, or smaller clusters"
        )
    return math.ceil(n)


def design_effect(cluster_size: float, correlation: float) -> float:
    """How many times more samples clusters of that mean size take than independent ones (Kish, 1965).

    `correlation` in [0, 1] is that of two samples of a cluster: 1 + (size - 1) x correlation.
    """
    return 1 + (cluster_size - 1) * correlation


def more_samples(
    n: int, stderr: float, distance: float, *, power: float = POWER, confidence: float = CONFIDENCE
) -> int | None:
    """Samples that would decide where `n` did not, if the value stays `distance` from the threshold.

    The standard error falls with the root of n; the answer is that for the given power. None where the value lies
    on the threshold, which no number decides.
    """
    if distance == 0:
        return None
    return math.ceil(n * (_quantiles(power, confidence) * stderr / distance) ** 2)


def told_distance(
    n: int, stderr: float, samples: int, *, power: float = POWER, confidence: float = CONFIDENCE
) -> float:
    """How far from a threshold a value can lie that so many `samples` tell from it, with that power.

    `stderr` is the standard error of `n` of them. The inverse of `more_samples`.
    """
    return _quantiles(power, confidence) * stderr * math.sqrt(n / samples)


def rule_of_three(n: int, confidence: float = CONFIDENCE) -> float:
    """The largest share that n >= 1 samples without a single hit are in keeping with: about 3 / n at 95 %.

    Exact: 1 - (1 - confidence)^(1 / n) (Hanley and Lippman-Hand, 1983).
    """
    return float(1 - (1 - confidence) ** (1 / n))


def _quantiles(power: float, confidence: float) -> float:
    return float(special.ndtri(confidence) + special.ndtri(power))
