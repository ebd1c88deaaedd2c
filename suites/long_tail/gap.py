"""By how much a model does worse on the tail than on the head."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from typing_extensions import override

from harness.core.metrics import Metric, Undefined
from harness.core.scores import Score
from harness.core.statistics import CONFIDENCE, Interval, p_value_of, pairwise_differences
from harness.core.text.reasons import Reason

__all__ = ["TailGap", "tail_gap"]


@dataclass(frozen=True, kw_only=True)
class TailGap(Metric):
    """By how much the score `of` is worse on the last stratum of an `attribute` than on the first.

    The interval is made of those of the two strata (MOVER; of shares it is Newcombe's), which are independent samples;
    the p value is the level of the interval that just reaches 0.
    """

    of: Metric
    attribute: str
    head: str
    tail: str

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        """Raises `Undefined` where a stratum has fewer than `smallest_group` samples, such as where there is one."""
        sides = [
            [score for score in scores if score.groups.get(self.attribute) == stratum]
            for stratum in (self.tail, self.head)
        ]
        if self.of.direction == "higher":
            sides.reverse()
        if min(map(len, sides)) < self.smallest_group:
            counts = dict.fromkeys((self.head, self.tail), 0)
            counts |= {side[0].groups[self.attribute]: len(side) for side in sides if side}
            raise Undefined(
                Reason(
                    "{head} has {first} samples and {tail} {second}: at least {least} of each are needed",
                    head=self.head,
                    first=counts[self.head],
                    tail=self.tail,
                    second=counts[self.tail],
                    least=self.smallest_group,
                )
            )

        def at(level: float) -> Interval:
            return _less(*(self.of.reduce(side, rng, level) for side in sides))

        found = at(confidence)
        if found.low is None:
            return found
        return Interval(
            value=found.value,
            stderr=found.stderr,
            low=found.low,
            high=found.high,
            method=found.method,
            p_value=p_value_of(at) if found.value else 1.0,
        )


def _less(first: Interval, second: Interval) -> Interval:
    """The first less the second, of independent samples."""
    value = first.value - second.value
    if None in (first.low, first.high, second.low, second.high):
        return Interval(value=value, stderr=None, low=None, high=None, method=None)
    lows, highs = pairwise_differences([first, second])
    errors = [one.stderr for one in (first, second) if one.stderr is not None]
    stderr = sum(error**2 for error in errors) ** 0.5 if len(errors) == 2 else None
    return Interval(value=value, stderr=stderr, low=float(lows[0, 1]), high=float(highs[0, 1]), method="MOVER")


_SAID = {
    "rarity": "texts of rare words than on texts of common ones (by the mean frequency of their words on Zipf's scale)",
    "length": "long texts than on short ones (by their words)",
    "novelty": "texts of new words than on familiar ones (by the share of words that no other text of the task has)",
}


def tail_gap(of: Metric, attribute: str, strata: tuple[str, str, str]) -> TailGap:
    """The gap of a score between the first and the last stratum of an attribute."""
    head, _, tail = strata
    return TailGap(
        name=f"{attribute}_gap",
        unit=of.unit,
        target=0.0,
        source="difference of two independent scores: Newcombe (1998), Interval estimation for the difference between "
        "independent proportions, method 10; Zou and Donner (2008) for other scores",
        of=of,
        attribute=attribute,
        head=head,
        tail=tail,
        meaning=f"""
        By how much `{of.name}` is worse on {_SAID[attribute]}, in the unit of that score. 0 is best; above 0 the tail
        is worse, below 0 the head.

        Formula: the score of the third of the task's texts that lies at the head against that of the third at the tail,
        the middle third left out; its sign says which is worse. Its p value is that of no difference. The two thirds
        also differ in what they ask, so a gap is a sign of the tail, not a proof that rarity alone makes it.
        """,
    )
