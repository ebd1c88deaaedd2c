"""How a dimension's score becomes a number from 0 to 1 that is better the higher, so that dimensions can be weighed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["Scale", "scale_of"]

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
"""The best or worst value there can be, by unit."""

Way = Literal["as it is", "the rest", "near", "over best", "best over"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """From a score to a number from 0 (worst) to 1 (best); linear or a ratio, so that errors carry over.

    `reference` is the unit's bound, the target, or the best value among those that are compared, as `way` says.
    """

    way: Way
    reference: float
    target: float = 0.0

    def value(self, score: float) -> float:
        """The number for a score."""
        match self.way:
            case "as it is" | "over best":
                return score / self.reference
            case "the rest":
                return 1 - score / self.reference
            case "near":
                return 1 - abs(score - self.target) / self.reference
            case "best over":
                return self.reference / score

    def slope(self, score: float) -> float:
        """How the number changes with the score: turns a standard error into that of the number, with its sign."""
        match self.way:
            case "as it is" | "over best":
                return 1 / self.reference
            case "the rest":
                return -1 / self.reference
            case "near":
                return (-1 if score > self.target else 1) / self.reference
            case "best over":
                return -self.reference / score**2

    @property
    def words(self) -> str:
        """The formula in words."""
        over = "" if self.reference == 1 else f" / {self.reference:g}"
        match self.way:
            case "as it is":
                return f"score{over}"
            case "the rest":
                return f"1 - score{over}"
            case "near":
                return f"1 - |score - {self.target:g}|{over}"
            case "over best":
                return f"score / best ({self.reference:.4g})"
            case "best over":
                return f"best ({self.reference:.4g}) / score"


def scale_of(unit: str, direction: str | None, target: float | None, scores: Sequence[float]) -> Scale | None:
    """The scale of a dimension among runs with these scores; None where there is none.

    A unit with a bound has the scale of its bound, which no other run can move. Others, such as joules or bits a byte,
    are taken relative to the best run: twice the joules are half the number. That needs positive scores.
    """
    bound = _BOUNDED.get(unit)
    if target is not None:
        return Scale(way="near", reference=bound or 1.0, target=target)
    if bound is not None:
        return Scale(way="as it is" if direction == "higher" else "the rest", reference=bound)
    if not scores or min(scores) <= 0:
        return None
    if direction == "higher":
        return Scale(way="over best", reference=max(scores))
    return Scale(way="best over", reference=min(scores))
