"""Which of several are the best, by statements about two of them at a time."""

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Standing", "TopSearch"]

Standing = Literal["in", "out", "open"]
"""Whether one is surely among the best, surely not, or neither yet."""


@dataclass(frozen=True, kw_only=True)
class TopSearch:
    """The search for the `top` best of `count`, numbered from 0, with 1 <= `top` < `count`.

    It goes by `claims` that one is better than another, (better, worse), each wrong with a small chance.
    """

    count: int
    top: int
    claims: set[tuple[int, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        if not 1 <= self.top < self.count:
            raise ValueError(f"the {self.top} best of {self.count} need no search")

    @property
    def standings(self) -> list[Standing]:
        """Out is who is worse than `top` others, in is who is better than all but `top`; and whoever is left over once
        enough are out, or in.
        """
        found: list[Standing] = [self._standing(one) for one in range(self.count)]
        if found.count("out") == self.count - self.top:
            return ["out" if one == "out" else "in" for one in found]
        if found.count("in") == self.top:
            return ["in" if one == "in" else "out" for one in found]
        return found

    def better_than(self, one: int) -> int:
        """How many others it was claimed to be better than."""
        return sum(better == one for better, _ in self.claims)

    def worse_than(self, one: int) -> int:
        """How many others were claimed to be better."""
        return sum(worse == one for _, worse in self.claims)

    def confidence_of_each(self, confidence: float) -> float:
        """How sure each claim has to be, so that all who are in or out are so rightly with this `confidence`.

        Let 1 be the best. Who is r-th of the `top` is out wrongly only if at least top - r + 1 of the count - r claims
        that a worse one is better were made, so with a chance of at most (count - r) / (top - r + 1) times that of one
        wrong claim (Markov); to be in wrongly is the mirror image, and the chances add up. For the best alone a wrong
        one is in only if the best is out, which is count - 1 times that chance, and the same holds for all but the
        worst. It doesn't matter how the claims depend on each other. Of equal ones any is rightly among the best.
        """
        if self.top in (1, self.count - 1):
            return 1 - (1 - confidence) / (self.count - 1)
        out = sum((self.count - rank) / (self.top - rank + 1) for rank in range(1, self.top + 1))
        into = sum((rank - 1) / (rank - self.top) for rank in range(self.top + 1, self.count + 1))
        return 1 - (1 - confidence) / (out + into)

    def _standing(self, one: int) -> Standing:
        if self.worse_than(one) >= self.top:
            return "out"
        return "in" if self.better_than(one) >= self.count - self.top else "open"
