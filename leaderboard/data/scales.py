"""How a dimension's score becomes a number from 0 to 1 that is better the higher, so that dimensions can be weighed.

0 and 1 are fixed: what guessing gives, or else the worst there can be, and the best there can be. No other run moves
them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

__all__ = ["KNOWING_NOTHING", "Scale", "scale_in", "scale_of"]

_BOUNDED: Mapping[str, float] = {
    "share": 1.0,
    "probability": 1.0,
    "score": 1.0,
    "rho": 1.0,
    "share of clean": 1.0,
    "points": 100.0,
    "out of 100": 100.0,
    "points of 100": 100.0,  # as indexes of earlier versions have it
}
"""The largest value there can be, by unit; guessing gives 0 of what is better the higher, unless its metric says else.
"""
KNOWING_NOTHING: Mapping[str, float] = {
    "errors/word": 1.0,  # as many as there are words, such as by saying nothing
    "bits/byte": 2.62,  # English whose words are known by their frequencies alone (Shannon, 1951), a byte a letter
}
"""What counts as 0 in a unit without an end, of which 0 is best."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """From a score to a number from 0 to 1, in straight lines: `zero` counts as 0, and so does what is worse, `one` as
    1. With a target, `one` is that, and the distance of `zero` counts on either side.

    `is_earned` says that a model which knows nothing gets about 0; else it may get the best: it harms nobody.
    """

    zero: float
    one: float
    is_target: bool = False
    is_earned: bool = True

    def value(self, score: float) -> float:
        """The number for a score."""
        if self.is_target:
            score = self.one - abs(score - self.one)
        return min(1.0, max(0.0, (score - self.zero) / (self.one - self.zero)))

    def slope(self, score: float) -> float:
        """How the number changes with the score: turns a standard error into that of the number, with its sign.

        Also beyond the ends, where the number stays: what is measured there may well lie inside.
        """
        sign = -1 if self.is_target and score > self.one else 1
        return sign / (self.one - self.zero)

    @property
    def words(self) -> str:
        """What counts as 0 and as 1."""
        return f"0: {self.zero:.3g}, 1: {self.one:.3g}"


def scale_of(
    unit: str,
    direction: str | None,
    target: float | None = None,
    chance: float | None = None,
    optimum: float | None = None,
) -> Scale | None:
    """The scale of a dimension whose best value is `optimum` and of which guessing gives `chance`, where that is known.

    None in a unit that has no fixed ends, such as joules: there is no saying how many of them are good.
    """
    bound = _BOUNDED.get(unit)
    if target is not None:
        reach = max(target, (bound or 1.0) - target)
        return Scale(zero=target - reach, one=target, is_target=True, is_earned=False)
    if direction == "higher":
        best = bound if optimum is None else optimum
        zero = 0.0 if chance is None else chance
        return None if best is None or best <= zero else Scale(zero=zero, one=best)
    if unit in KNOWING_NOTHING:
        return Scale(zero=KNOWING_NOTHING[unit], one=0.0)
    best = 0.0 if optimum is None else optimum
    if chance is not None and chance > best:
        return Scale(zero=chance, one=best)
    return None if bound is None or bound <= best else Scale(zero=bound, one=best, is_earned=False)


def scale_in(of_suite: pd.DataFrame) -> Scale | None:
    """As `scale_of`, of the rows of one suite, of which the first tells for all."""
    first = of_suite.iloc[0]
    known = [None if pd.isna(first.get(name)) else float(first[name]) for name in ("target", "chance", "optimum")]
    return scale_of(first["unit"], first["direction"], *known)
