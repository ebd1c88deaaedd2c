"""Bounds of a run that may be looked at after every sample, in place of those of a fixed size."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from harness.core import statistics
from harness.core.metrics import Mean, Metric, Undefined
from harness.core.pairing import Pairs, over_pairs
from harness.core.scores import Score
from harness.core.statistics import Difference, Interval, Statistic
from harness.core.statistics.anytime.asymptotic import asymptotic_log_wealth, asymptotic_radius
from harness.core.statistics.anytime.betting import Bets
from harness.core.statistics.anytime.several import e_holm
from harness.core.statistics.anytime.shares import share_log_wealth
from harness.core.text.reasons import Reason
from harness.decision.contrasts import Contrast, contrasted_parts, no_worst, scored_pairs, unlike
from harness.decision.keys import Key
from harness.decision.limits import FEW_DIFFER, Bounds, counted, is_reading, require_derived
from harness.decision.scored import Scored
from harness.decision.sequential.units import Order, draws, unit_means
from harness.decision.worst import paired_worst, with_worst

__all__ = ["CHANGES", "AnytimeBounds", "limits_of_equal"]

Values = NDArray[np.float64]

BETTING = "anytime-valid, by betting"
ASYMPTOTIC = "anytime-valid from many samples on"
OTHER_SAMPLES = "both were read from a machine, while it was asked other samples"

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
    """Values in order, of a mean: between which ends they lie, and of how many in all where that is known.

    `mean` is that of all that there are; the values of several tasks end before those of the larger ones do.
    """

    values: Values
    mean: float
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
        return replace(self, values=-self.values, mean=-self.mean, lowest=-self.highest, highest=-self.lowest)

    def limits(self, confidence: float, margin: float | None) -> tuple[float, float]:
        bets = self.bets(margin)
        return bets.lower_limit(self.values, confidence), -bets.mirrored.lower_limit(-self.values, confidence)


@dataclass(frozen=True, kw_only=True)
class _Contributions:
    """A number of `n` samples in `units` independent clusters, its standard error, and by how much rare samples that
    were not seen could move it."""

    value: float
    stderr: float
    n: int
    units: int
    unseen: float

    def log_wealth(self, distance: float, confidence: float) -> float:
        """What says that the truth doesn't lie `distance` away, on that side; 0 for none."""
        if distance <= self.unseen:
            return 0.0
        return asymptotic_log_wealth(distance, self.stderr, self.units, confidence, _PLANNED)


class AnytimeBounds(Bounds):
    """See `harness.core.statistics.anytime`: of means of bounded values by betting, of others approximately.

    They are about all questions of the data, of which some were asked, in random order. `order` says which came when.
    Samples that share a passage or a question may have come together: such a cluster counts as one, approximately.
    """

    def __init__(self, run: Scored, baseline: Scored | None, confidence: float, order: Order) -> None:
        self.run, self.baseline, self.confidence, self.order = run, baseline, confidence, order
        self._paired: dict[Key, tuple[Metric, Pairs]] = {}

    @override
    def alone(self, key: Key, margin: float | None) -> Interval:
        value = self.run.estimates[key].value
        assert value is not None
        require_derived(self.run, key)
        if is_reading(self.run, key):
            return Interval(value=value, stderr=None, low=value, high=value, method="as read")
        found = self._limits(key, margin, self._values, self._contributions)
        return Interval(value=found.value, stderr=None, low=found.low, high=found.high, method=found.method)

    @override
    def against(self, key: Key, margin: float) -> Contrast:
        assert self.baseline is not None
        now, before = self.run.estimates[key], self.baseline.estimates[key]
        if now.value is None or before.value is None:
            return Contrast(difference=None, reason=now.reason or before.reason)
        if is_reading(self.run, key):
            return Contrast(difference=None, reason=OTHER_SAMPLES)
        if fault := unlike(self.baseline, self.run, key):
            return Contrast(difference=None, reason=fault)
        try:
            found = self._limits(key, margin, self._changes, self._contributions_to_change)
            share = max(self._invalid_share(part) for part in self._parts(key))
        except Undefined as undefined:
            return Contrast(difference=None, reason=undefined.reason)
        return Contrast(difference=found, invalid_share=share)

    @override
    def alarms(self, gains: Sequence[tuple[Key, Difference]], margin: float, sign: float) -> list[float]:
        # The largest wealth so far: whatever was refuted once stays so.
        found = []
        for key, gain in gains:
            stream = self._stream(key, self._changes)
            if stream is None:
                whole = self._weighted(key, self._contributions_to_change)
                found.append(whole.log_wealth(-margin - gain.value, self.confidence))
                continue
            turned = stream if sign < 0 else stream.mirrored
            found.append(float(turned.bets(margin).log_wealth(turned.values, margin).max(initial=0.0)))
        return [math.exp(-max(wealth, 0.0)) for wealth in e_holm(found)]

    @override
    def is_surely_more(self, key: Key, share: float, count: int, largest: float) -> bool:
        if self.order.sizes.get((key.suite, key.task)) == count:
            return True
        return share_log_wealth(round(share * count), count, largest) >= -math.log1p(-self.confidence)

    def _parts(self, key: Key) -> list[Key]:
        return contrasted_parts(self.run, key) or [key]

    def _weights(self, key: Key) -> list[float]:
        weights = [part.weight for part in self.run.estimates[key].parts] or [1.0]
        return [weight / math.fsum(weights) for weight in weights]

    def _limits(
        self,
        key: Key,
        margin: float | None,
        values: Callable[[Key], "_Stream | None"],
        contributions: Callable[[Key], "_Contributions"],
    ) -> Difference:
        """The value, with what can't be used as the worst, both ends, how they were made, and of how many units."""
        stream = self._stream(key, values)
        if stream is not None:
            low, high = stream.limits(self.confidence, margin)
            value, n, units, method = stream.mean, len(stream.values), len(stream.values), BETTING
        else:
            whole = self._weighted(key, contributions)
            usual = asymptotic_radius(whole.stderr, whole.units, self.confidence, _PLANNED)
            radius = max(usual, whole.unseen)
            low, high = whole.value - radius, whole.value + radius
            method = FEW_DIFFER if whole.unseen > usual else ASYMPTOTIC
            value, n, units = whole.value, whole.n, whole.units
        return Difference(
            value=value,
            stderr=None,
            low=low,
            high=high,
            p_value=None,
            method=Reason(method),
            n=n,
            cluster_count=units,
        )

    def _weighted(self, key: Key, contributions: Callable[[Key], "_Contributions"]) -> "_Contributions":
        """Those to a mean over tasks."""
        parts, weights = [contributions(part) for part in self._parts(key)], self._weights(key)
        return _Contributions(
            value=math.fsum(weight * part.value for weight, part in zip(weights, parts, strict=True)),
            stderr=math.hypot(*(weight * part.stderr for weight, part in zip(weights, parts, strict=True))),
            n=sum(part.n for part in parts),
            units=sum(part.units for part in parts),
            unseen=math.fsum(weight * part.unseen for weight, part in zip(weights, parts, strict=True)),
        )

    def _stream(self, key: Key, values: Callable[[Key], "_Stream | None"]) -> "_Stream | None":
        """The values of a number in order, mixed where it is a mean over tasks; None unless all are bounded means."""
        streams = [stream for part in self._parts(key) if (stream := values(part)) is not None]
        if len(streams) < len(self._parts(key)):
            return None
        if len(streams) == 1:
            return streams[0]
        return _Stream(
            values=draws([stream.values for stream in streams], self._weights(key), self.order.seed),
            mean=math.fsum(w * stream.mean for w, stream in zip(self._weights(key), streams, strict=True)),
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
        samples = self._in_turn(key, scores)
        values = unit_means(scores, samples)
        if values is None or statistics.cluster_count([score.cluster for score in scores]) < len(samples):
            return None
        # How many of the data belong to a group is not known before all are asked.
        population = self.order.sizes.get((key.suite, key.task)) if key.group is None else None
        return _Stream(
            values=values,
            mean=float(values.mean()),
            lowest=lowest,
            highest=highest,
            population=population,
            spread=spread,
        )

    def _in_turn(self, key: Key, scores: Sequence[Score]) -> list[str]:
        """The ids of the samples that the scores are of, in order."""
        return self.order.ranked(key.suite, key.task, list(dict.fromkeys(score.sample_id for score in scores)))

    def _scored_pairs(self, key: Key) -> tuple[Metric, Pairs]:
        assert self.baseline is not None
        if key not in self._paired:
            self._paired[key] = scored_pairs(self.baseline, self.run, key)
        return self._paired[key]

    def _pairs(self, key: Key) -> tuple[Metric, Pairs]:
        metric, pairs = self._scored_pairs(key)
        if len(pairs.valid()) < len(pairs):
            if not metric.averages_values:
                raise Undefined(no_worst(key))
            pairs = paired_worst(metric, pairs)
        return metric, pairs

    def _invalid_share(self, key: Key) -> float:
        _, pairs = self._scored_pairs(key)
        return max(pairs.invalid_counts) / max(1, len(pairs))

    def _contributions(self, key: Key) -> "_Contributions":
        metric = self.run.metric(key)
        scores = counted(metric, key, self.run.scores_of(key))
        statistic = metric.resampled(scores)
        if statistic is None:
            raise Undefined(Reason("{metric} can't be recomputed on resamples", metric=key.metric))
        differ = [score.value != scores[0].value or score.predicted != score.gold for score in scores]
        return self._jackknifed(key, metric, statistic, scores, differ)

    def _contributions_to_change(self, key: Key) -> "_Contributions":
        metric, pairs = self._pairs(key)
        first, second = (
            metric.resampled([score for score in side if score is not None]) for side in (pairs.first, pairs.second)
        )
        if first is None or second is None:
            raise Undefined(Reason("{metric} can't be recomputed on resamples", metric=key.metric))
        before, after = over_pairs(first, pairs.first), over_pairs(second, pairs.second)
        either = (one or other for one, other in zip(pairs.first, pairs.second, strict=True))
        scores = [score for score in either if score is not None]
        return self._jackknifed(key, metric, lambda rows: after(rows) - before(rows), scores, pairs.changed())

    def _jackknifed(
        self, key: Key, metric: Metric, statistic: Statistic, scores: Sequence[Score], differ: Sequence[bool]
    ) -> "_Contributions":
        """The standard error of a statistic by leaving out blocks of clusters in turn (Tukey, 1958).

        `differ` says which scores take part in its variation. Few of them say little of how large it is: then what the
        samples that weren't seen could add is bounded by their share.
        """
        unit_of = {score.sample_id: score.cluster or score.sample_id for score in scores}
        samples = self._in_turn(key, scores)
        units = list(dict.fromkeys(unit_of[sample] for sample in samples))
        block_of = {unit: number % _BLOCKS for number, unit in enumerate(units)}
        blocks = np.array([block_of[unit_of[score.sample_id]] for score in scores])
        count, rows = int(blocks.max()) + 1, np.arange(len(scores))
        if count < 2:
            raise Undefined("a single sample or cluster has no error")
        whole = statistic(rows)
        without = np.array([statistic(rows[blocks != block]) for block in range(count)])
        if not np.isfinite(without).all():
            raise Undefined("too few resamples have a value")
        stderr = float(np.sqrt((count - 1) / count * ((whole - without) ** 2).sum()))
        moved = {unit_of[score.sample_id] for score, differs in zip(scores, differ, strict=True) if differs}
        return _Contributions(
            value=float(whole),
            stderr=stderr,
            n=len(samples),
            units=len(units),
            unseen=self._unseen(metric, units, moved),
        )

    def _unseen(self, metric: Metric, units: Sequence[str], moved: set[str]) -> float:
        """By how much samples like the few that `moved` could move a statistic, at the most; 0 where they are many."""
        if len(moved) >= _MANY:
            return 0.0
        if metric.lowest is None or metric.highest is None:
            raise Undefined("too few samples differ")
        bets = Bets(lowest=-1.0, highest=0.0, effect=_EFFECT)
        values = np.array([-float(unit in moved) for unit in units])
        return -bets.lower_limit(values, self.confidence) * (metric.highest - metric.lowest)


def limits_of_equal(
    value: float,
    count: int,
    ends: tuple[float, float],
    confidence: float,
    margin: float | None,
    *,
    change: bool,
    population: int | None,
) -> tuple[float, float]:
    """The bounds of the mean of so many values that all are that one: known before anything is asked.

    They lie between the `ends`, and are of a finite `population` where that may be asked. Those of a `change` are
    differences between two runs.
    """
    lowest, highest = ends
    span = highest - lowest
    stream = _Stream(
        values=np.full(count, value),
        mean=value,
        lowest=-span if change else lowest,
        highest=span if change else highest,
        population=population,
        spread=CHANGES * span if change else None,
    )
    return stream.limits(confidence, margin)


def _ends(metric: Metric, scores: Sequence[Score | None]) -> tuple[float, float] | None:
    """Between which ends each value lies, of a mean of values that have any; None of other metrics."""
    if not isinstance(metric, Mean):
        return None
    values = [score.value for score in scores if score is not None and score.value is not None]
    lowest, highest = metric.ends(values)
    return None if lowest is None or highest is None or not values else (lowest, highest)
