"""Bounds of a run that may be looked at after every sample, in place of those of a fixed size."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from harness.core.metrics import Mean, Metric, Undefined
from harness.core.pairing import Pairs, over_pairs
from harness.core.scores import Score
from harness.core.statistics import Difference, Interval, Statistic
from harness.core.statistics.anytime.asymptotic import asymptotic_radius
from harness.core.statistics.anytime.betting import Bets
from harness.core.statistics.anytime.several import e_holm
from harness.core.text.reasons import Reason
from harness.decision.contrasts import READINGS, Contrast, contrasted_parts, no_worst, scored_pairs
from harness.decision.keys import Key
from harness.decision.limits import Bounds, is_reading
from harness.decision.scored import Scored
from harness.decision.sequential.units import Order, draws, unit_means
from harness.decision.worst import paired_worst, with_worst

__all__ = ["CHANGES", "AnytimeBounds"]

Values = NDArray[np.float64]

BETTING = "anytime-valid, by betting"
ASYMPTOTIC = "anytime-valid from many samples on"

CHANGES = 0.3
"""What the standard deviation of a change between two runs is taken for at first, in parts of the range of a value.

It is that of a score of zeros and ones where a tenth of them change.
"""
_EFFECT = 0.05
"""What is looked for where no margin says it, in parts of the range."""
_PLANNED = 300
"""Units about which asymptotic bounds are narrowest."""
_MANY = 10
"""So many samples that differ show how large differences are."""
_BLOCKS = 100
"""Groups of units that are left out in turn where each single one would take too long."""


@dataclass(frozen=True, kw_only=True)
class _Stream:
    """Values in order, of a mean: between which ends they lie, and of how many in all where that is known."""

    values: Values
    lowest: float
    highest: float
    population: int | None = None
    spread: float | None = None

    def bets(self, margin: float | None) -> Bets:
        effect = margin or _EFFECT * (self.highest - self.lowest)
        return Bets(
            lowest=self.lowest, highest=self.highest, effect=effect, population=self.population, spread=self.spread
        )

    @property
    def mirrored(self) -> "_Stream":
        return replace(self, values=-self.values, lowest=-self.highest, highest=-self.lowest)

    def limits(self, confidence: float, margin: float | None) -> tuple[float, float]:
        bets = self.bets(margin)
        return bets.lower_limit(self.values, confidence), -bets.mirrored.lower_limit(-self.values, confidence)


@dataclass(frozen=True, kw_only=True)
class _Contributions:
    """The standard error of a number of `count` samples, and by how much rare ones that were not seen could move it."""

    stderr: float
    count: int
    unseen: float


class AnytimeBounds(Bounds):
    """See `harness.core.statistics.anytime`: of means of bounded values by betting, of others approximately.

    They are about all questions of the data, of which some were asked, in random order. `order` says which came when.
    """

    def __init__(self, run: Scored, baseline: Scored | None, confidence: float, order: Order) -> None:
        self.run, self.baseline, self.confidence, self.order = run, baseline, confidence, order

    @override
    def alone(self, key: Key, margin: float | None) -> Interval:
        value = self.run.estimates[key].value
        assert value is not None
        if is_reading(self.run, key):
            return Interval(value=value, stderr=None, low=value, high=value, method="as read")
        low, high, method, _ = self._limits(key, value, margin, self._values, self._contributions)
        return Interval(value=value, stderr=None, low=low, high=high, method=method)

    @override
    def against(self, key: Key, margin: float) -> Contrast:
        assert self.baseline is not None
        now, before = self.run.estimates[key], self.baseline.estimates[key]
        if now.value is None or before.value is None:
            return Contrast(difference=None, reason=now.reason or before.reason)
        value = now.value - before.value
        if is_reading(self.run, key):
            return Contrast(difference=None, reason=READINGS)
        try:
            low, high, method, n = self._limits(key, value, margin, self._changes, self._contributions_to_change)
            share = max(self._invalid_share(part) for part in self._parts(key))
        except Undefined as undefined:
            return Contrast(difference=None, reason=undefined.reason)
        difference = Difference(
            value=value, stderr=None, low=low, high=high, p_value=None, method=method, n=n, cluster_count=n
        )
        return Contrast(difference=difference, invalid_share=share)

    @override
    def alarms(self, gains: Sequence[tuple[Key, Difference]], margin: float, sign: float) -> list[float]:
        found = []
        for key, gain in gains:
            stream = self._stream(key, self._changes)
            if stream is None:  # the level of an approximate bound is known at one place only
                lost = gain.high is not None and gain.high < -margin
                found.append(-math.log(1 - self.confidence) if lost else 0.0)
                continue
            turned = stream if sign < 0 else stream.mirrored
            found.append(float(turned.bets(margin).log_wealth(turned.values, margin)[-1]))
        return [min(1.0, math.exp(-wealth)) for wealth in e_holm(found)]

    def _parts(self, key: Key) -> list[Key]:
        return contrasted_parts(self.run, key) or [key]

    def _weights(self, key: Key) -> list[float]:
        weights = [part.weight for part in self.run.estimates[key].parts] or [1.0]
        return [weight / math.fsum(weights) for weight in weights]

    def _limits(
        self,
        key: Key,
        value: float,
        margin: float | None,
        values: Callable[[Key], "_Stream | None"],
        contributions: Callable[[Key], "_Contributions"],
    ) -> tuple[float, float, Reason, int]:
        """Both ends, how they were made, and of how many units."""
        stream = self._stream(key, values)
        if stream is not None:
            return *stream.limits(self.confidence, margin), Reason(BETTING), len(stream.values)
        parts = [contributions(part) for part in self._parts(key)]
        weights, count = self._weights(key), sum(part.count for part in parts)
        stderr = math.hypot(*(weight * part.stderr for weight, part in zip(weights, parts, strict=True)))
        unseen = math.fsum(weight * part.unseen for weight, part in zip(weights, parts, strict=True))
        radius = max(asymptotic_radius(stderr, count, self.confidence, _PLANNED), unseen)
        return value - radius, value + radius, Reason(ASYMPTOTIC), count

    def _stream(self, key: Key, values: Callable[[Key], "_Stream | None"]) -> "_Stream | None":
        """The values of a number in order, mixed where it is a mean over tasks; None unless all are bounded means."""
        streams = [stream for part in self._parts(key) if (stream := values(part)) is not None]
        if len(streams) < len(self._parts(key)):
            return None
        if len(streams) == 1:
            return streams[0]
        return _Stream(
            values=draws([stream.values for stream in streams], self._weights(key), self.order.seed),
            lowest=min(stream.lowest for stream in streams),
            highest=max(stream.highest for stream in streams),
            spread=streams[0].spread,
        )

    def _values(self, key: Key) -> "_Stream | None":
        metric, scores = self.run.metric(key), self.run.scores_of(key)
        ends = _ends(metric, scores)
        if ends is None:
            return None
        return self._in_order(key, with_worst(metric, scores), *ends)

    def _changes(self, key: Key) -> "_Stream | None":
        metric, pairs = self._pairs(key)
        ends = _ends(metric, [*pairs.first, *pairs.second])
        if ends is None:
            return None
        changes = [
            replace(one, value=(one.value or 0.0) - (other.value or 0.0))
            for other, one in zip(pairs.first, pairs.second, strict=True)
            if one is not None and other is not None
        ]
        span = ends[1] - ends[0]
        return self._in_order(key, changes, -span, span, CHANGES * span)

    def _in_order(
        self, key: Key, scores: Sequence[Score], lowest: float, highest: float, spread: float | None = None
    ) -> "_Stream | None":
        samples = self.order.ranked(key.suite, key.task, list(dict.fromkeys(score.sample_id for score in scores)))
        values = unit_means(scores, samples)
        if values is None:
            return None
        # How many of the data belong to a group is not known before all are asked.
        population = self.order.sizes.get((key.suite, key.task)) if key.group is None else None
        return _Stream(values=values, lowest=lowest, highest=highest, population=population, spread=spread)

    def _pairs(self, key: Key) -> tuple[Metric, Pairs]:
        assert self.baseline is not None
        metric, pairs = scored_pairs(self.baseline, self.run, key)
        if len(pairs.valid()) < len(pairs):
            if not metric.averages_values:
                raise Undefined(no_worst(key))
            pairs = paired_worst(metric, pairs)
        return metric, pairs

    def _invalid_share(self, key: Key) -> float:
        assert self.baseline is not None
        _, pairs = scored_pairs(self.baseline, self.run, key)
        return max(pairs.invalid_counts) / max(1, len(pairs))

    def _contributions(self, key: Key) -> "_Contributions":
        metric, scores = self.run.metric(key), self.run.scores_of(key)
        if any(score.invalid for score in scores):
            if not metric.averages_values:
                raise Undefined(no_worst(key))
            scores = with_worst(metric, scores)
        statistic = metric.resampled(scores)
        if statistic is None:
            raise Undefined(Reason("{metric} can't be recomputed on resamples", metric=key.metric))
        names = [score.sample_id for score in scores]
        differ = [score.value != scores[0].value or score.predicted != score.gold for score in scores]
        return self._jackknifed(key, metric, statistic, names, differ)

    def _contributions_to_change(self, key: Key) -> "_Contributions":
        metric, pairs = self._pairs(key)
        first, second = (
            metric.resampled([score for score in side if score is not None]) for side in (pairs.first, pairs.second)
        )
        if first is None or second is None:
            raise Undefined(Reason("{metric} can't be recomputed on resamples", metric=key.metric))
        before, after = over_pairs(first, pairs.first), over_pairs(second, pairs.second)
        either = (one or other for one, other in zip(pairs.first, pairs.second, strict=True))
        names = [score.sample_id for score in either if score is not None]
        return self._jackknifed(key, metric, lambda rows: after(rows) - before(rows), names, pairs.changed())

    def _jackknifed(
        self, key: Key, metric: Metric, statistic: Statistic, samples: Sequence[str], differ: Sequence[bool]
    ) -> "_Contributions":
        """The standard error of a statistic by leaving out blocks of samples in turn (Tukey, 1958).

        `differ` says which scores take part in its variation. Few of them say little of how large it is: then what the
        samples that weren't seen could add is bounded by their share.
        """
        order = self.order.ranked(key.suite, key.task, list(dict.fromkeys(samples)))
        block_of = {sample: number % _BLOCKS for number, sample in enumerate(order)}
        blocks = np.array([block_of[sample] for sample in samples])
        count, rows = int(blocks.max()) + 1, np.arange(len(samples))
        if count < 2:
            raise Undefined("a single sample or cluster has no error")
        whole = statistic(rows)
        without = np.array([statistic(rows[blocks != block]) for block in range(count)])
        if not np.isfinite(without).all():
            raise Undefined("too few resamples have a value")
        stderr = float(np.sqrt((count - 1) / count * ((whole - without) ** 2).sum()))
        moved = {sample for sample, differs in zip(samples, differ, strict=True) if differs}
        return _Contributions(stderr=stderr, count=len(order), unseen=self._unseen(metric, order, moved))

    def _unseen(self, metric: Metric, samples: Sequence[str], moved: set[str]) -> float:
        """By how much samples like the few that `moved` could move a statistic, at the most; 0 where they are many."""
        if len(moved) >= _MANY:
            return 0.0
        if metric.lowest is None or metric.highest is None:
            raise Undefined("too few samples differ")
        bets = Bets(lowest=-1.0, highest=0.0, effect=_EFFECT)
        values = np.array([-float(sample in moved) for sample in samples])
        return -bets.lower_limit(values, self.confidence) * (metric.highest - metric.lowest)


def _ends(metric: Metric, scores: Sequence[Score | None]) -> tuple[float, float] | None:
    """Between which ends each value lies, of a mean of values that have any; None of other metrics."""
    if not isinstance(metric, Mean):
        return None
    values = [score.value for score in scores if score is not None and score.value is not None]
    lowest, highest = metric.ends(values)
    return None if lowest is None or highest is None or not values else (lowest, highest)
