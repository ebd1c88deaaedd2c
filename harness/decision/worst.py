"""Samples that a run could not use, counted as the worst that could be."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from harness.core.metrics import Metric
from harness.core.pairing import Pairs
from harness.core.scores import Score

__all__ = ["paired_worst", "with_worst"]


def with_worst(metric: Metric, scores: Sequence[Score]) -> list[Score]:
    """The scores, those that can't be used with the worst value there can be, or else the worst seen.

    `metric` averages values. The worst is the lowest where higher is better and the other way round, and what takes the
    metric farthest from its target.
    """
    return _filled(scores, _extreme(metric, scores, best=False))


def paired_worst(metric: Metric, pairs: Pairs) -> Pairs:
    """The same of two runs: what the first can't use counts as the best, what the second can't as the worst."""
    seen = [score for score in (*pairs.first, *pairs.second) if score is not None]
    first, second = (
        [score and _filled([score], _extreme(metric, seen, best=best))[0] for score in side]
        for side, best in ((pairs.first, True), (pairs.second, False))
    )
    return replace(pairs, first=tuple(first), second=tuple(second))


def _filled(scores: Sequence[Score], value: float) -> list[Score]:
    return [score if score.invalid is None else replace(score, value=value, invalid=None) for score in scores]


def _extreme(metric: Metric, scores: Sequence[Score], *, best: bool) -> float:
    seen = [score.value for score in scores if score.invalid is None and score.value is not None]
    lowest, highest = metric.score_range
    ends = (min(seen) if lowest is None else lowest, max(seen) if highest is None else highest)
    if metric.target is None:
        return max(ends) if (metric.direction == "higher") == best else min(ends)
    target = metric.target

    def distance(value: float) -> float:
        found = metric.reduce(_filled(scores, value), Random(0))
        return abs(found.value - target)

    return (min if best else max)(ends, key=distance)
