"""One-sided bounds of a run's numbers, with the samples that it could not use counted as the worst.

How sure a gate is hangs on whether it looks once or as often as it likes: it takes its bounds from one of the `Bounds`.
"""

from collections.abc import Sequence
from random import Random
from typing import Protocol

from scipy import special
from typing_extensions import override

from harness.core import statistics
from harness.core.metrics import Metric, Undefined, salt
from harness.core.scores import Score
from harness.core.statistics import Difference, Interval
from harness.core.text.reasons import Reason
from harness.decision.contrasts import Contrast, Contrasts, contrasted_parts, no_worst
from harness.decision.derived import underived
from harness.decision.keys import Key
from harness.decision.scored import Scored
from harness.decision.worst import with_worst

__all__ = ["FEW_DIFFER", "Bounds", "FixedBounds", "counted", "is_reading", "limits", "require_derived", "unit_count"]

FEW_DIFFER = "anytime-valid, by how few samples differ"
"""The method of bounds that what wasn't seen sets: they narrow with the number of samples, not with its root."""


def is_reading(run: Scored, key: Key) -> bool:
    """Whether a number was read from a meter, and is no statistic of samples."""
    return not (key.is_headline or key.whole in run.scores or run.estimates[key].parts)


def require_derived(run: Scored, key: Key) -> None:
    """Raises `Undefined` for a number that nothing in the record bears out."""
    if reason := underived(run, key):
        raise Undefined(Reason("{metric} {reason}, so it can't be confirmed", metric=key.metric, reason=reason))


def limits(run: Scored, key: Key, confidence: float) -> Interval:
    """Value and bounds, each of that one-sided `confidence`, of a number that is there.

    The metric is asked, as it was for the table: see `Metric.bounds`. A headline is put together from its parts as in
    the table, too. A reading has no error and is its own bound. Raises `Undefined` where there is no interval, where
    the metric can't be found again, or where samples that can't be used can't be counted as the worst.
    """
    estimate = run.estimates[key]
    assert estimate.value is not None
    require_derived(run, key)
    if is_reading(run, key):
        return Interval(value=estimate.value, stderr=None, low=estimate.value, high=estimate.value, method="as read")
    if parts := contrasted_parts(run, key):
        weights = [part.weight for part in estimate.parts]
        return statistics.mean_of_parts([limits(run, part, confidence) for part in parts], weights)
    metric, scores = run.metric(key), run.scores_of(key)
    found = metric.bounds(counted(metric, key, scores), Random(salt(run.record.spec.seed, *key)), confidence)
    if found.low is None or found.high is None:
        raise Undefined(Reason("{metric} has no interval", metric=key.metric))
    return found


def counted(metric: Metric, key: Key, scores: Sequence[Score]) -> Sequence[Score]:
    """The scores, those that can't be used as the worst. Raises `Undefined` where they can't be counted so."""
    if not any(score.invalid for score in scores):
        return scores
    if not metric.averages_values:
        raise Undefined(no_worst(key))
    return with_worst(metric, scores)


def unit_count(run: Scored, key: Key) -> int:
    """How many independent samples a number is of: those that share a passage or a question count once."""
    if parts := contrasted_parts(run, key):
        return sum(unit_count(run, part) for part in parts)
    clusters = [score.cluster for score in run.scores_of(key) if score.invalid is None]
    return statistics.cluster_count(clusters)


class Bounds(Protocol):
    """What is sure of a run, alone and against its baseline; each end is a one-sided bound."""

    def alone(self, key: Key, margin: float | None) -> Interval:
        """Value and bounds of a number of the run, looked at for a difference of `margin`.

        Raises `Undefined` where there are none.
        """
        ...

    def against(self, key: Key, margin: float) -> Contrast:
        """By how much a number lies above the baseline's, with bounds."""
        ...

    def alarms(self, gains: Sequence[tuple[Key, Difference]], margin: float, sign: float) -> list[float]:
        """The p value, for all groups together, of each one's having lost no more than the `margin`, in their order.

        `gains` are the differences of groups, turned by the `sign` so that more is better.
        """
        ...

    def is_surely_more(self, key: Key, share: float, count: int, largest: float) -> bool:
        """Whether more than the `largest` share of the samples of a number can't be used: a `share` of `count` can't.

        Not asked where it is no more of these.
        """
        ...


class FixedBounds(Bounds):
    """Those of a run whose samples were chosen beforehand, and that is looked at once."""

    def __init__(self, run: Scored, baseline: Scored | None, confidence: float) -> None:
        self.run, self.confidence = run, confidence
        self._contrasts = (
            Contrasts(baseline, run, confidence=statistics.two_sided(confidence), worst=True) if baseline else None
        )

    @override
    def alone(self, key: Key, margin: float | None) -> Interval:
        return limits(self.run, key, self.confidence)

    @override
    def against(self, key: Key, margin: float) -> Contrast:
        assert self._contrasts is not None
        return self._contrasts.of(key)

    @override
    def alarms(self, gains: Sequence[tuple[Key, Difference]], margin: float, sign: float) -> list[float]:
        return statistics.holm([self._beyond(gain, margin) for _, gain in gains])

    @override
    def is_surely_more(self, key: Key, share: float, count: int, largest: float) -> bool:
        return True

    def _beyond(self, gain: Difference, margin: float) -> float:
        """The one-sided p value of a loss no larger than the margin, by the bound on its side of the interval.

        At or below 1 - the confidence just where that bound lies beyond the margin.
        """
        reach = (gain.high or 0.0) - gain.value
        if not reach:
            return 1.0 if gain.value >= -margin else 0.0
        return float(special.ndtr((gain.value + margin) / reach * special.ndtri(self.confidence)))
