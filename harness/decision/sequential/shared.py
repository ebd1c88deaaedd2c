"""A baseline as far as it was asked what a run was asked: a run that stops early has some of its samples."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from random import Random

import pandas as pd
from typing_extensions import override

from harness.core import statistics
from harness.core.metrics import Undefined, salt
from harness.core.scores import Estimate, Score
from harness.core.statistics import Interval
from harness.core.text.reasons import Reason
from harness.decision.comparable import Questions
from harness.decision.keys import Key
from harness.decision.limits import is_reading
from harness.decision.scored import Scored
from harness.record import RunRecord

__all__ = ["SharedSamples"]

_NO_VALUE = Reason("it has no value on the samples that both were asked")

_Asked = Mapping[tuple[str, str], Mapping[str, tuple[str, ...]]]
"""The ids of the requests about each sample, by suite and task."""


class SharedSamples(Scored):
    """A sealed run, of whose samples only those count that another was asked, too.

    Its values are of these samples; what was asked of the others is no difference between the two. A task of which it
    lacks a sample, or was asked something else about one, differs as a whole.
    """

    def __init__(self, record: RunRecord, run: Scored) -> None:
        super().__init__(record)
        self._run = run
        self._whole = dict(self.estimates)
        self.estimates = {
            key: self._narrowed(key, estimate) for key, estimate in self._whole.items() if key in run.estimates
        }

    @cached_property
    def _asked(self) -> tuple[_Asked, _Asked]:
        return requests_by_sample(self.record), requests_by_sample(self._run.record)

    def _is_shared(self, suite: str, task: str) -> bool:
        """Whether all that the run was asked in a task was asked here."""
        own, others = (asked.get((suite, task), {}) for asked in self._asked)
        return all(own.get(sample) == requests for sample, requests in others.items())

    @property
    @override
    def questions(self) -> Questions:
        tasks = self.record.spec.tasks
        shared = {f"{task.suite}/{task.task}" for task in tasks if self._is_shared(task.suite, task.task)}
        return super().questions.narrowed_to(self._run.questions, shared)

    @cached_property
    @override
    def scores(self) -> Mapping[Key, Sequence[Score]]:
        every, others = super().scores, self._asked[1]
        return {
            key: [score for score in found if score.sample_id in others.get((key.suite, key.task), {})]
            for key, found in every.items()
        }

    def _narrowed(self, key: Key, whole: Estimate) -> Estimate:
        """The estimate over the shared samples; a reading stays what it is."""
        if whole.value is None or is_reading(self, key):
            return whole
        found = self._value(key, whole)
        if found is None:
            return replace(whole, value=None, low=None, high=None, stderr=None, reason=_NO_VALUE)
        return replace(whole, value=found.value, low=None, high=None, stderr=None)

    def _value(self, key: Key, whole: Estimate) -> Interval | None:
        if whole.parts:
            parts = [Key(key.suite, part.task, part.metric) for part in whole.parts]
            values = [self._value(part, self._whole[part]) for part in parts if part in self._whole]
            known = [value for value in values if value is not None]
            weights = [part.weight for part in whole.parts]
            return statistics.mean_of_parts(known, weights) if len(known) == len(weights) else None
        metric = self.known_metric(key) or self.mean(key)
        scores = [score for score in self.scores_of(key) if score.invalid is None]
        try:
            return metric.reduce(scores, Random(salt(self.record.spec.seed, *key))) if scores else None
        except Undefined:
            return None


def requests_by_sample(record: RunRecord) -> _Asked:
    """What was asked about each sample, in its order, by suite and task."""
    table: pd.DataFrame = record.samples[["suite", "task", "sample_id", "position", "request_id"]]
    ordered = table.sort_values("position")
    found: dict[tuple[str, str], dict[str, tuple[str, ...]]] = {}
    for suite, task, sample, request in zip(
        *(ordered[name] for name in ("suite", "task", "sample_id", "request_id")), strict=True
    ):
        of_task = found.setdefault((suite, task), {})
        of_task[sample] = (*of_task.get(sample, ()), request)
    return found
