"""What all differences between groups share: whom they compare, their interval, and what chance alone gives.

Decisions are read from a score's `gold` and `predicted`; `positive` is the label that counts as acceptance.
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import special
from typing_extensions import override

from harness.core import statistics
from harness.core.metrics import Metric, Undefined
from harness.core.pairing import Pairs
from harness.core.scores import Score
from harness.core.statistics import CONFIDENCE, RESAMPLES, Difference, Interval, Statistic
from harness.core.text.reasons import Reason, told_together
from suites.fairness.by_chance import beside_chance
from suites.fairness.groups.paired_rates import PairedCells
from suites.fairness.groups.rates import RateByGroup, rate_by_group

__all__ = ["Disparity", "Levels", "pair_intervals"]

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """The chance at which an end may miss that holds for all groups at once (`together`), and one for a single group.

    An extreme over groups is bounded by all of them on the side on which chance alone moves it, and by whichever group
    is the extreme one on the other side.
    """

    together: float
    single: float
    two_sided: bool

    def single_confidence(self) -> float:
        """The two-sided confidence at which each end alone misses with the chance `single`."""
        return 1 - 2 * self.single


@dataclass(frozen=True, kw_only=True)
class Disparity(Metric):
    """How rates of decisions differ between the groups of `attribute`.

    The value is fairlearn's, over the groups whose rate is of at least `smallest_group` samples; the others are left
    out, and named with their n beside the interval. There is no value where fewer than two groups are left, nor for a
    model that decides the same for everybody, which treats all groups alike by looking at none.

    The interval is made from score intervals of the groups' rates (Newcombe, 1998; Donner and Zou, 2012). A largest
    difference is never below 0 and grows with noise: its lower end holds for all pairs of groups at once (Tukey), so
    that where no group differs it is 0 in 95 of 100 samples; the upper end is on the safe side where there are many
    groups. What chance alone gives, by dealing out the samples to the groups anew, stands beside it with the p value.
    """

    attribute: str
    positive: str
    rates: ClassVar[Sequence[str]]
    constant_is_undefined: ClassVar[bool] = True
    grows_by_chance: ClassVar[bool] = True

    @abstractmethod
    def compare(self, rates: Values) -> Values:
        """The values from rates of shape (draws, groups); NaN where undefined."""

    @abstractmethod
    def ends(self, found: RateByGroup, levels: Levels, *, alone: bool) -> Interval:
        """The ends of the value over one rate, with its standard error; `alone` where the metric looks at no other."""

    def decisions(self, scores: Sequence[Score]) -> Values:
        """1 for each positive decision, 0 for each other."""
        return np.array([score.predicted == self.positive for score in scores], dtype=float)

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        missed = 1 - confidence
        rates = self._rates(scores)
        found = self._bounded(rates, Levels(together=missed, single=missed / 2, two_sided=True))
        generator = np.random.default_rng(rng.getrandbits(64))
        draws = self.extreme([self.compare(one.shuffled(generator)) for one in rates])
        chance, p_value = beside_chance(draws[~np.isnan(draws)], found.value, largest=self.grows_by_chance)
        return replace(found, method=told_together([found.method, chance]), p_value=p_value)

    @override
    def bounds(self, scores: Sequence[Score], rng: Random, confidence: float) -> Interval:
        missed = 1 - confidence
        return self._bounded(self._rates(scores), Levels(together=missed, single=missed, two_sided=False))

    @override
    def difference(
        self,
        pairs: Pairs,
        rng: Random,
        confidence: float = CONFIDENCE,
        resamples: int = RESAMPLES,
    ) -> Difference:
        """Groups against themselves, and against the first run's extreme ones."""
        first, second = ([score for score in side if score is not None] for side in (pairs.first, pairs.second))
        if len(first) < len(pairs) or len(second) < len(pairs):
            raise Undefined("the answers decide which samples count")
        cells = PairedCells.of(self._rates(first), self._rates(second))
        try:
            return self.change(cells, confidence)
        except ValueError as error:
            raise Undefined("a group whose samples all share one cluster has no error") from error

    @abstractmethod
    def change(self, cells: PairedCells, confidence: float) -> Difference:
        """By how much the value rose from the first run to the second."""

    @override
    def resampled(self, scores: Sequence[Score]) -> Statistic:
        rates = self._rates(scores)

        def value(rows: NDArray[np.intp]) -> float:
            weights = np.bincount(rows, minlength=len(scores))
            found = [self.compare(one.weighted(weights)[None, :]) for one in rates]
            return float(self.extreme(found)[0])

        return value

    def extreme(self, values: Sequence[Values]) -> Values:
        """The values over several rates: the largest of each draw."""
        return np.asarray(np.maximum.reduce(list(values)), dtype=float)

    def _extreme(self, values: Sequence[float]) -> float:
        return float(self.extreme([np.array([value]) for value in values])[0])

    def _bounded(self, rates: Sequence[RateByGroup], levels: Levels) -> Interval:
        without = _left_out(rates)
        values = [float(self.compare(one.values()[None, :])[0]) for one in rates]
        if np.isnan(values).any():
            raise Undefined(
                told_together(["the rates are 0 in every group, so their ratio is undefined", *_told(without)])
            )
        value = self._extreme(values)
        levels = replace(levels, together=levels.together / len(rates))
        try:
            found = [self.ends(one, levels, alone=len(rates) == 1) for one in rates]
        except ValueError:  # A group whose samples all share one cluster has no error.
            return Interval(
                value=value,
                stderr=None,
                low=None,
                high=None,
                method=told_together(_told(without)),
                left_out=without,
            )
        low, high = (self._extreme([getattr(one, side) for one in found]) for side in ("low", "high"))
        return Interval(
            value=value,
            stderr=found[values.index(value)].stderr,
            low=min(max(low, 0.0), value),
            high=max(min(high, 1.0), value),
            method=told_together([_over_groups(found[0].method, len(rates[0].cells)), *_told(without)]),
            left_out=without,
        )

    def _rates(self, scores: Sequence[Score]) -> list[RateByGroup]:
        gold = np.array([score.gold == self.positive for score in scores])
        accepted = self.decisions(scores)
        found = [
            rate_by_group(rate, scores, gold, accepted, attribute=self.attribute, smallest=self.smallest_group)
            for rate in self.rates
        ]
        for one in found:
            if len(one.cells) < 2:
                raise Undefined(
                    Reason(
                        "{metric}: fewer than two groups have {least} samples ({counts})",
                        metric=one.rate.replace("_", " "),
                        least=self.smallest_group,
                        counts=one.counts(),
                    )
                )
        if self.constant_is_undefined:
            _refuse_constant(accepted, found)
        return found


def _left_out(rates: Sequence[RateByGroup]) -> tuple[str, ...]:
    """The groups that are left out, each with its size."""
    sizes: dict[str, int] = {}
    for one in rates:
        for name, size in one.left_out.items():
            sizes[name] = min(size, sizes.get(name, size))
    return tuple(f"{name} (n = {size})" for name, size in sorted(sizes.items()))


def _told(without: Sequence[str]) -> list[Reason]:
    """The groups that are left out, in words."""
    return [Reason("without {group}", group=one) for one in without]


def _over_groups(method: str | None, count: int) -> Reason:
    return Reason("{method} over {count} groups", method=method or "", count=count)


def _refuse_constant(decisions: Values, rates: Sequence[RateByGroup]) -> None:
    """Raises `Undefined` where all groups that are compared get one decision alone."""
    rows = np.unique(np.concatenate([cell.rows for one in rates for cell in one.cells.values()]))
    if np.ptp(decisions[rows]) == 0:
        said = "positive" if decisions[rows[0]] else "negative"
        raise Undefined(
            told_together(
                [
                    Reason(
                        "all {count} decisions are {label}: a constant answer shows no difference",
                        count=len(rows),
                        label=said,
                    ),
                    *_told(_left_out(rates)),
                ]
            )
        )


def _confidence(quantile: float) -> float:
    """The two-sided confidence whose standard normal quantile it is."""
    return float(1 - 2 * special.ndtr(-quantile))


def pair_intervals(found: RateByGroup, levels: Levels, low: float, *, alone: bool) -> list[Interval]:
    """The groups' intervals, so wide that the end that holds for all pairs of groups is made from them.

    `low` is the lower end of the largest difference, for one pair of groups by itself.
    """
    if not alone or len(found.cells) > 2:
        return found.intervals(_confidence(statistics.range_quantile(levels.together, len(found.cells))))
    gap = float(np.ptp(found.values()))
    distance = -float(special.ndtri(levels.single)) * gap / (gap - low) if gap > low else 0.0
    other = levels.single if levels.two_sided else 0.0
    return found.intervals(_confidence(statistics.folded_quantile(distance, levels.together, other=other)))
