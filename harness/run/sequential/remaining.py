"""What a rule that is still open would take to be decided."""

from dataclasses import dataclass

from scipy import special

from harness.core.statistics import told_distance
from harness.core.text.display import duration, number
from harness.decision.limits import FEW_DIFFER
from harness.decision.telling.sentences import method_of
from harness.decision.verdicts import RuleVerdict

__all__ = ["Remaining", "remaining_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remaining:
    """A rule that was left open: about how many more samples would settle it if its number stayed where it is, and
    what they would cost; None of what isn't known.

    `available` more can be asked. `distance` is how far from its limit a number can lie that all of the samples there
    are tell from it, with 80 % power: for a rule against a baseline, the margin that an equal model passes.
    """

    rule: str
    against: bool
    asked: int
    available: int
    samples: int | None
    seconds: float | None
    joules: float | None
    distance: float | None

    @property
    def sentence(self) -> str:
        """In words, for the command line."""
        settles = f"about {self.samples:,} more samples would settle it{self._cost}" if self.samples else ""
        if self.samples is not None and self.samples <= self.available:
            return settles
        left = f"{self.available:,} more can be asked" if self.available else f"all {self.asked:,} samples were asked"
        return "; ".join(filter(None, (settles, left, self._told)))

    @property
    def _cost(self) -> str:
        spent = (
            duration(self.seconds) if self.seconds else "",
            f"{number(self.joules)} J" if self.joules else "",
        )
        told = ", ".join(filter(None, spent))
        return f" ({told})" if told else ""

    @property
    def _told(self) -> str:
        if self.distance is None:
            return ""
        of_all = "so many" if not self.available else "all of them"
        if self.against:
            return f"with {of_all} an equal model passes a margin of about {number(self.distance)}"
        return f"{of_all} tell a number from its limit at a distance of about {number(self.distance)}"


def remaining_of(
    verdict: RuleVerdict, *, asked: int, available: int, cost: tuple[float | None, float | None], confidence: float
) -> Remaining:
    """What is left of a rule that `asked` samples left open; a further sample takes seconds and joules (`cost`)."""
    n, needed = verdict.n or 0, verdict.n_needed
    samples = max(1, needed - n) if needed is not None else None
    seconds, joules = (None if samples is None or one is None else one * samples for one in cost)
    distance = None
    value, low, high = verdict.value, verdict.low, verdict.high
    if n and value is not None and low is not None and high is not None:
        width = max(value - low, high - value)
        if method_of(verdict.reason) == FEW_DIFFER:
            distance = width * n / (n + available)
        else:
            stderr = width / float(special.ndtri(confidence))
            distance = told_distance(n, stderr, n + available, confidence=confidence)
    return Remaining(
        rule=verdict.rule,
        against=verdict.kind in ("non_inferior", "no_worse_group"),
        asked=asked,
        available=available,
        samples=samples,
        seconds=seconds,
        joules=joules,
        distance=distance,
    )
