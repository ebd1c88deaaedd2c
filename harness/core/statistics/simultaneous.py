"""How surely each of several numbers must be bounded so that all bounds hold together.

A largest difference is at least as large as each of its parts, so its lower end is the largest of lower ends that hold
all at once; its upper end is that of whichever part is the largest, for which ends that hold one at a time do.
"""

import math
from functools import lru_cache

import numpy as np
from scipy import special

__all__ = ["folded_quantile", "range_quantile", "shared_level"]

_GRID = np.linspace(-8.0, 8.0, 1601)
_DENSITY = np.exp(-(_GRID**2) / 2) / math.sqrt(2 * math.pi)


def shared_level(level: float, count: int) -> float:
    """The level of each of `count` independent bounds that all hold at once but for that `level` (Šidák, 1967)."""
    return -math.expm1(math.log1p(-level) / count)


@lru_cache(maxsize=256)
def range_quantile(level: float, count: int) -> float:
    """The standard normal quantile of bounds of all differences between `count` >= 2 equal numbers, from either side.

    But for `level` they hold together: Tukey's studentized range over root two, which is on the safe side for numbers
    of unlike error (Hayter, 1984). Of two it is the quantile of a two-sided interval.
    """
    # Imported late: it takes 40 MB, and few runs need it.
    from scipy.optimize import brentq

    def beyond(quantile: float) -> float:
        within = (special.ndtr(_GRID) - special.ndtr(_GRID - math.sqrt(2) * quantile)) ** (count - 1)
        return 1 - count * float(np.trapezoid(_DENSITY * within, _GRID)) - level

    return float(brentq(beyond, 0.01, 20.0))


def folded_quantile(distance: float, level: float, *, other: float = 0.0) -> float:
    """The standard normal quantile of the lower end of an absolute value that lies `distance` standard errors above 0.

    The end misses with chance `level` wherever the truth is. At 0 both signs of the number can make it miss, so that it
    must be a two-sided bound; far from 0 one sign alone can. `other` is the chance at which the upper end misses far
    from 0: it can't where the truth is small, and what it leaves is the lower end's. 0 for a lower end by itself.
    """
    from scipy.optimize import brentq

    two_sided = -float(special.ndtri(level / 2))
    if distance <= two_sided:
        return two_sided
    reach = -float(special.ndtri(other)) if other else math.inf

    def excess(quantile: float) -> float:
        truth = distance - quantile
        missed = max(0.0, other - float(special.ndtr(reach - 2 * truth))) if other else 0.0
        return float(special.ndtr(-quantile) + special.ndtr(quantile - 2 * distance)) - (level - missed)

    return float(brentq(excess, -float(special.ndtri(level)) - 0.1, distance))
