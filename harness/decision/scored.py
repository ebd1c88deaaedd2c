"""A run's scores and estimates by what they are of, ready to be recomputed."""

import math
from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from random import Random

import numpy as np

from harness.core import registry
from harness.core.errors import HarnessError
from harness.core.headlines import headline_estimates
from harness.core.metrics import MeanShare, Metric, Undefined
from harness.core.process.isolation import StepFailed, attempt
from harness.core.scores import Estimate, Score
from harness.core.tasks import Results
from harness.core.text.reasons import Reason
from harness.decision.comparable import Questions, questions_of
from harness.decision.keys import Key, key_of
from harness.decision.score_table import ScoreTable
from harness.record import RunRecord
from harness.record.metrics import RecordedMetric
from harness.record.notebook.given import require_record
from harness.suitefiles.selection import rebuilt

__all__ = ["Scored"]

_AGREES = 1e-6


class Scored:
    """A sealed run, read once. Raises `RecordError` where a file is missing or malformed."""

    def __init__(self, record: RunRecord) -> None:
        require_record(record)
        self.record = record
        self.listed: Sequence[Estimate] = record.estimate_list
        self.estimates: Mapping[Key, Estimate] = {key_of(one): one for one in self.listed}
        self.readings: frozenset[Key] = frozenset(map(key_of, record.measurement_list))

    @property
    def questions(self) -> Questions:
        """What the run was asked, to be held against what another was."""
        return questions_of(self.record.spec)

    @cached_property
    def derived_readings(self) -> Mapping[Key, Estimate]:
        """What the installed suites make of the recorded energy windows; nothing of a suite that isn't installed."""
        spec = self.record.spec
        by_task: dict[tuple[str, str], list[Score]] = {}
        for key, scores in self.scores.items():
            by_task.setdefault((key.suite, key.task), []).extend(scores)
        results = Results(
            scores=by_task,
            estimates=[one for one in self.listed if key_of(one) not in self.readings and not one.is_headline],
            windows=self.record.windows,
            signature="",
            request_counts=self.record.request_counts,
        )
        found: list[Estimate] = []
        for name in spec.suites:
            if name not in registry.names("harness.suites"):
                continue
            try:
                suite = registry.suite(name)
                derived = attempt(partial(suite.derive, results))
                found += [*derived, *headline_estimates([suite], derived, "")]
            except (HarnessError, StepFailed, ValueError):  # what can't be told here bears nothing out
                continue
        return {key_of(one): one for one in found}

    @cached_property
    def scores(self) -> Mapping[Key, Sequence[Score]]:
        """The scores of each metric of each task, in the order of the samples."""
        return ScoreTable(self.record.scores)

    def scores_of(self, key: Key) -> list[Score]:
        """The scores that a number of a task is of: those of its group, or of the metric's main group."""
        every = self.scores.get(key.whole, ())
        if key.group is not None:
            return list(filter(key.group.holds, every))
        metric = self.known_metric(key)
        main = metric.main_group.items() if metric else {}.items()
        return [score for score in every if main <= score.groups.items()]

    def metric(self, key: Key) -> Metric:
        """The metric that gave a number: see `known_metric`; or a mean, where the record says nothing of it.

        Raises `Undefined`, with the reason, where it can't be made again here, or doesn't give the recorded value on
        the recorded scores.
        """
        known = self.known_metric(key)
        if known is None and (recorded := self._recorded(key)):
            return recorded.metric()  # which raises the reason
        metric, estimate = known or self.mean(key), self.estimates[key.whole]
        if key.whole not in self._given:
            self._given[key.whole] = None if estimate.value is None else self.value_by(metric, key.whole)
        given = self._given[key.whole]
        if given is None or estimate.value is None:
            raise Undefined(estimate.reason or "there are no scores of single samples")
        if not math.isclose(given, estimate.value, rel_tol=_AGREES, abs_tol=_AGREES):
            if known:
                said = Reason(
                    "the installed version of {metric} gives another value than the record", metric=key.metric
                )
            else:
                said = Reason(
                    "{metric} is not a mean, and the task that defines it is not installed", metric=key.metric
                )
            raise Undefined(said)
        return metric

    def known_metric(self, key: Key) -> Metric | None:
        """That of the task as it is installed here, else the recorded one; None where there is neither."""
        if key.whole not in self._known:
            self._known[key.whole] = self._own(key) or self._again(key)
        return self._known[key.whole]

    def mean(self, key: Key) -> Metric:
        """What a number may be where nothing is known of its metric: a mean."""
        one = self.estimates[key]
        return MeanShare(name=one.metric, unit=one.unit, direction=one.direction, target=one.target, source="-")

    def recorded_otherwise(self, key: Key) -> Sequence[str]:
        """In what the recorded metric is another than that of the task installed here; empty where it isn't."""
        own, recorded = self._own(key), self._recorded(key)
        return recorded.differences(RecordedMetric.of(own)) if own and recorded else ()

    def value_by(self, metric: Metric, key: Key) -> float:
        """What a metric gives on the recorded scores that a number is of. Raises `Undefined` where that is nothing."""
        scores = [score for score in self.scores_of(key) if score.invalid is None]
        if not scores:
            raise Undefined("there are no scores of single samples")
        try:
            return attempt(partial(_value, metric, scores))
        except StepFailed as failed:
            failed.give_back(Undefined)
            raise Undefined(
                Reason("the scores don't belong to this metric ({error})", error=f"it {failed}")
            ) from failed

    @cached_property
    def _given(self) -> dict[Key, float | None]:
        """What each metric that was asked for gives."""
        return {}

    @cached_property
    def _known(self) -> dict[Key, Metric | None]:
        return {}

    def _recorded(self, key: Key) -> RecordedMetric | None:
        return self.record.metrics.get(key[:3])

    def _again(self, key: Key) -> Metric | None:
        try:
            recorded = self._recorded(key)
            return recorded.metric() if recorded else None
        except Undefined:  # `metric` says why, where it matters
            return None

    def _own(self, key: Key) -> Metric | None:
        """The metric of that name that the task itself has; None where the task can't be built from the record."""
        if key[:2] not in self._built:
            self._built[key[:2]] = self._build(key)
        return next((one for one in self._built[key[:2]] if one.name == key.metric), None)

    @cached_property
    def _built(self) -> dict[tuple[str, str], Sequence[Metric]]:
        return {}

    def _build(self, key: Key) -> Sequence[Metric]:
        specs = [task for task in self.record.spec.tasks if (task.suite, task.task) == key[:2]]
        try:
            return rebuilt(key.task, specs[0].definition if specs else {}).metrics
        except HarnessError:  # `metric` says what that means, where it matters
            return ()


def _value(metric: Metric, scores: Sequence[Score]) -> float:
    statistic = metric.resampled(scores)
    return statistic(np.arange(len(scores))) if statistic else metric.reduce(scores, Random(0)).value
