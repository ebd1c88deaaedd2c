"""One-sided bounds of a run's own numbers, with the samples that it could not use counted as the worst."""

from random import Random

from harness.core import statistics
from harness.core.metrics import Undefined, salt
from harness.core.statistics import Interval
from harness.core.text.reasons import Reason
from harness.decision.contrasts import contrasted_parts, no_worst
from harness.decision.derived import underived
from harness.decision.keys import Key
from harness.decision.scored import Scored
from harness.decision.worst import with_worst

__all__ = ["is_reading", "limits", "unit_count"]


def is_reading(run: Scored, key: Key) -> bool:
    """Whether a number was read from a meter, and is no statistic of samples."""
    return not (key.is_headline or key.whole in run.scores or run.estimates[key].parts)


def limits(run: Scored, key: Key, confidence: float) -> Interval:
    """Value and bounds, each of that one-sided `confidence`, of a number that is there.

    The metric is asked, as it was for the table: see `Metric.bounds`. A headline is put together from its parts as in
    the table, too. A reading has no error and is its own bound. Raises `Undefined` where there is no interval, where
    the metric can't be found again, or where samples that can't be used can't be counted as the worst.
    """
    estimate = run.estimates[key]
    assert estimate.value is not None
    if reason := underived(run, key):
        raise Undefined(Reason("{metric} {reason}, so it can't be confirmed", metric=key.metric, reason=reason))
    if is_reading(run, key):
        return Interval(value=estimate.value, stderr=None, low=estimate.value, high=estimate.value, method="as read")
    if parts := contrasted_parts(run, key):
        weights = [part.weight for part in estimate.parts]
        return statistics.mean_of_parts([limits(run, part, confidence) for part in parts], weights)
    metric, scores = run.metric(key), run.scores_of(key)
    if any(score.invalid for score in scores):
        if not metric.averages_values:
            raise Undefined(no_worst(key))
        scores = with_worst(metric, scores)
    found = metric.bounds(scores, Random(salt(run.record.spec.seed, *key)), confidence)
    if found.low is None or found.high is None:
        raise Undefined(Reason("{metric} has no interval", metric=key.metric))
    return found


def unit_count(run: Scored, key: Key) -> int:
    """How many independent samples a number is of: those that share a passage or a question count once."""
    if parts := contrasted_parts(run, key):
        return sum(unit_count(run, part) for part in parts)
    clusters = [score.cluster for score in run.scores_of(key) if score.invalid is None]
    return statistics.cluster_count(clusters)
