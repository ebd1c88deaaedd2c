"""What every metric and every score of a task promises."""

import math
from collections.abc import Sequence
from random import Random

import numpy as np

from harness.core.metrics import Metric, Undefined
from harness.core.scores import Score
from harness.core.tasks import Sample, Task
from harness.testing.demands import demand, told_of

__all__ = ["check_metrics", "check_scores"]

_ROUNDING = 1e-9


def check_scores(task: Task, sample: Sample, scores: Sequence[Score]) -> None:
    """Raises `AssertionError` for the scores of a sample that are none of the task's, or no numbers."""
    demand(bool(scores), "it has no score: one that can't be computed says `invalid`, with the reason")
    metrics = {metric.name: metric for metric in task.metrics}
    for score in scores:
        demand(score.sample_id == sample.id, f"a score says that it is of sample {score.sample_id!r}")
        demand(score.metric in metrics, f"a score is of {score.metric!r}, which is none of the task's `metrics`")
        with told_of(score.metric):
            _check_score(metrics[score.metric], score)


def _check_score(metric: Metric, score: Score) -> None:
    demand(score.invalid is None or bool(score.invalid.strip()), "`invalid` is empty: say the reason")
    for name, number in (("value", score.value), ("weight", score.weight)):
        demand(number is None or math.isfinite(number), f"the {name} of a score is {number}; say `invalid` instead")
    demand(score.weight >= 0, f"the weight of a score is {score.weight}")
    texts = all(isinstance(text, str) for pair in score.groups.items() for text in pair)
    demand(texts, f"its groups {dict(score.groups)} are no texts by name")
    lowest, highest = metric.score_range
    if score.value is None or score.invalid is not None:
        return
    demand(lowest is None or score.value >= lowest - _ROUNDING, f"a value of {score.value} is below its `lowest`")
    demand(highest is None or score.value <= highest + _ROUNDING, f"a value of {score.value} is above its `highest`")


def check_metrics(task: Task, scores: Sequence[Score]) -> None:
    """Raises `AssertionError` for a metric of the task that isn't described, or that the task's scores can't give."""
    for metric in task.metrics:
        with told_of(f"the metric {metric.name}"):
            own = [score for score in scores if score.metric == metric.name]
            _check_description(metric)
            demand(bool(own), "no sample has a score for it (of a larger `limit`, perhaps)")
            _check_groups(metric, own)
            _check_value(metric, [score for score in own if score.invalid is None])


def _check_description(metric: Metric) -> None:
    demand(bool(metric.name.strip()) and bool(metric.unit.strip()), "it has no name or no unit")
    demand(bool(metric.source.strip()), "it has no `source`: where is it defined?")
    demand(bool(metric.meaning.strip()), "it has no `meaning`: say what it tells, and a class for it needs a docstring")
    one = (metric.direction is None) != (metric.target is None)
    demand(one, "it has to have a direction, or a target, and not both")
    demand(metric.smallest_group >= 1, "its `smallest_group` is less than 1")


def _check_groups(metric: Metric, scores: Sequence[Score]) -> None:
    known = {attribute for score in scores for attribute in score.groups}
    for attribute in (*metric.by, *metric.main_group):
        demand(
            attribute in known,
            f"it is given by {attribute!r}, and no score says its group of that (of a larger `limit`, perhaps)",
        )


def _check_value(metric: Metric, scores: Sequence[Score]) -> None:
    if not scores:
        return
    try:
        found = metric.reduce(scores, Random("a"))
        again = metric.reduce(scores, Random("a"))
    except Undefined:
        return
    demand(found == again, "reduced twice with the same generator, it differs")
    demand(math.isfinite(found.value), f"it gives {found.value}; raise `Undefined` with the reason instead")
    if found.low is not None and found.high is not None:
        inside = found.low - _ROUNDING <= found.value <= found.high + _ROUNDING
        demand(inside, f"its value {found.value} lies outside its interval, {found.low} to {found.high}")
    try:
        statistic = metric.resampled(scores)
        value = None if statistic is None else float(statistic(np.arange(len(scores))))
    except Undefined:
        return
    same = value is None or math.isclose(value, found.value, rel_tol=1e-6, abs_tol=1e-6)
    demand(same, f"`resampled` gives {value} of all scores, and `reduce` {found.value}")
