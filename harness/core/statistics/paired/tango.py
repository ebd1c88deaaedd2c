"""The interval of a difference of paired shares."""

import math

from scipy import special

from harness.core.statistics.intervals import CONFIDENCE, upper_tail

__all__ = ["tango"]


def tango(gained: int, lost: int, n: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The score interval of (gained - lost) / n, a difference of two shares of the same n >= 1 samples (Tango, 1998).

    It holds each difference that a score test doesn't reject, lies within [-1, 1] and never has zero width: where no
    sample differs it is about 3.84 / n wide on either side at 95 %, as in the rule of three.
    """
    # Imported late: it takes 40 MB, and few runs need it.
    from scipy.optimize import brentq

    quantile = float(special.ndtri(upper_tail(confidence)))
    seen = (gained - lost) / n

    def score(difference: float) -> float:
        # The likeliest share of losses, were this the true difference: root of a quadratic equation.
        slope = (2 * n - gained + lost) * difference - gained - lost
        losses = (math.sqrt(slope**2 + 8 * n * lost * difference * (1 - difference)) - slope) / (4 * n)
        variance = n * (2 * losses + difference * (1 - difference))
        distance = gained - lost - n * difference
        if variance <= 0:
            return 0.0 if distance == 0 else math.copysign(math.inf, distance)
        return distance / math.sqrt(variance)

    def end(edge: float, wanted: float) -> float:
        if seen == edge:
            return edge
        inside = edge * (1 - 1e-12)
        return float(brentq(lambda difference: _finite(score(difference) - wanted), inside, seen))

    return end(-1.0, quantile), end(1.0, -quantile)


def _finite(value: float) -> float:
    """Infinity as a number that a search for a root can use."""
    return max(-1e9, min(1e9, value))
