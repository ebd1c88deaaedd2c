"""One-sided bounds of a run's own numbers, with the samples that it could not use counted as the worst."""

from scipy import special

from harness.core import statistics
from harness.core.headlines import OVERALL, mean_weights
from harness.core.metrics import Undefined
from harness.core.scores import Estimate
from harness.core.statistics import CONFIDENCE, Interval, Sums, mean_of_parts
from harness.decision.contrasts import headline_parts
from harness.decision.scored import Key, Scored
from harness.decision.worst import worst_values

__all__ = ["is_reading", "limits"]


def is_reading(run: Scored, key: Key) -> bool:
    """Whether a number was read from a meter, and is no statistic of samples."""
    return key.task != OVERALL and Key(*key[:3]) not in run.scores and not headline_parts(run, key)


def limits(run: Scored, key: Key, confidence: float) -> Interval:
    """Value and interval, two-sided with `confidence`, of a number that is there.

    Means are worked out again from the scores; other metrics keep their own interval, as much narrower as a normal
    one of that confidence is. A reading has no error and is its own bound. Raises `Undefined` where there is no
    interval, or where samples that can't be used can't be counted as the worst.
    """
    estimate = run.estimates[key]
    assert estimate.value is not None
    if is_reading(run, key):
        return Interval(value=estimate.value, stderr=None, low=estimate.value, high=estimate.value, method="as read")
    if parts := headline_parts(run, key):
        return mean_of_parts([limits(run, part, confidence) for part in parts], mean_weights(estimate))
    scores = [score for score in run.scores[Key(*key[:3])] if _in_group(score.groups, key.group)]
    valid = [score for score in scores if score.invalid is None]
    try:
        found = run.statistic(key, valid)
    except Undefined:
        found = None
    if isinstance(found, Sums) and found.values is not None:
        values = worst_values(scores, direction=estimate.direction, target=estimate.target, scale=found.scale)
        unscaled = statistics.mean_or_share(values, [score.cluster for score in scores], confidence)
        plain = statistics.scaled(unscaled, found.scale)
        if plain.low is None:
            raise Undefined("a single sample or cluster has no error")
        return plain
    if len(valid) < len(scores):
        raise Undefined(f"samples that can't be used can't be counted as the worst for {key.metric}")
    return _narrowed(estimate, confidence)


def _in_group(groups: object, group: str | None) -> bool:
    if group is None:
        return True
    attribute, value = group.split("=", 1)
    return isinstance(groups, dict) and groups.get(attribute) == value


def _narrowed(estimate: Estimate, confidence: float) -> Interval:
    value, low, high = estimate.value, estimate.low, estimate.high
    if value is None or low is None or high is None:
        raise Undefined(f"{estimate.metric} has no interval")
    factor = float(special.ndtri((1 + confidence) / 2) / special.ndtri((1 + CONFIDENCE) / 2))
    return Interval(
        value=value,
        stderr=estimate.stderr,
        low=value - factor * (value - low),
        high=value + factor * (high - value),
        method=f"{estimate.interval}, as much narrower as a normal one",
    )
