"""A run's scores and estimates by what they are of, ready to be recomputed."""

import math
from collections.abc import Mapping, Sequence
from functools import cache, cached_property, partial
from random import Random
from typing import Any, NamedTuple

import numpy as np

from harness.core import registry
from harness.core.errors import HarnessError
from harness.core.headlines import OVERALL, headline_estimates
from harness.core.metrics import MeanShare, Metric, Undefined
from harness.core.process.isolation import StepFailed, attempt
from harness.core.scores import Estimate, Score
from harness.core.tasks import Results
from harness.metrics.standard import METRICS
from harness.record import RunRecord
from harness.suitefiles.selection import rebuilt

__all__ = ["Key", "Scored", "key_of"]

_AGREES = 1e-6


class Key(NamedTuple):
    """What a number is of; `group` is None for all samples."""

    suite: str
    task: str
    metric: str
    group: str | None = None

    @property
    def whole(self) -> "Key":
        """The number of all samples."""
        return Key(*self[:3])

    def __str__(self) -> str:
        return "/".join(self[:3]) + (f" [{self.group}]" if self.group else "")


def key_of(estimate: Estimate) -> Key:
    """Where an estimate belongs."""
    return Key(estimate.suite, estimate.task, estimate.metric, estimate.group)


class Scored:
    """A sealed run, read once. Raises `RecordError` where a file is missing or malformed."""

    def __init__(self, record: RunRecord) -> None:
        self.record = record
        self.listed: Sequence[Estimate] = record.estimate_list
        self.estimates: Mapping[Key, Estimate] = {key_of(one): one for one in self.listed}
        self.readings: frozenset[Key] = frozenset(map(key_of, record.measurement_list))

    @cached_property
    def derived_readings(self) -> Mapping[Key, Estimate]:
        """What the installed suites make of the recorded energy windows; nothing of a suite that isn't installed."""
        spec = self.record.spec
        by_task: dict[tuple[str, str], list[Score]] = {}
        for key, scores in self.scores.items():
            by_task.setdefault((key.suite, key.task), []).extend(scores)
        results = Results(
            scores=by_task,
            estimates=[one for one in self.listed if key_of(one) not in self.readings and one.task != OVERALL],
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
        found: dict[Key, list[Score]] = {}
        table = self.record.scores
        table = table.astype(object).where(table.notna(), None)
        rows: list[dict[str, Any]] = table.to_dict("records")  # type: ignore[assignment]
        for row in rows:
            key = Key(row.pop("suite"), row.pop("task"), row["metric"])
            found.setdefault(key, []).append(Score(**{**row, "groups": dict(row["groups"] or ())}))
        return found

    def scores_of(self, key: Key) -> list[Score]:
        """The scores that a number of a task is of: those of its group, or of the metric's main group."""
        every = self.scores.get(key.whole, ())
        if key.group is not None:
            attribute, value = key.group.split("=", 1)
            return [score for score in every if score.groups.get(attribute) == value]
        main = self._found(key.whole).main_group.items()
        return [score for score in every if main <= score.groups.items()]

    def metric(self, key: Key) -> Metric:
        """The metric that gave a number, as it is installed now.

        Raises `Undefined`, with the reason, where it can't be told: the task that defines it can't be built from the
        record, or the metric doesn't give the recorded value on the recorded scores.
        """
        if key.whole not in self._checked:
            self._checked[key.whole] = self._fault(key.whole)
        if fault := self._checked[key.whole]:
            raise Undefined(fault)
        return self._found(key.whole)

    def own_metric(self, key: Key) -> Metric | None:
        """The metric of that name that the task itself has; None where the task can't be built from the record."""
        return next((one for one in self._metrics(key) if one.name == key.metric), None)

    def likely_metrics(self, key: Key) -> Sequence[Metric]:
        """What may have given a number: the task's own metric, else those that go by its name everywhere, or a mean."""
        own = self.own_metric(key)
        estimate = self.estimates[key]
        known = [one for one in _known() if one.name == key.metric and _is_of(one, estimate)]
        return [own] if own else [*known, _mean(estimate)]

    def value_by(self, metric: Metric, key: Key) -> float:
        """What a metric gives on the recorded scores that a number is of. Raises `Undefined` where that is nothing."""
        every = self.scores.get(key.whole, ())
        wanted = dict([key.group.split("=", 1)]) if key.group else metric.main_group
        scores = [one for one in every if one.invalid is None and wanted.items() <= one.groups.items()]
        if not scores:
            raise Undefined("no sample counts for it")
        try:
            return _value(metric, scores)
        except (ValueError, ArithmeticError) as error:
            raise Undefined(f"the scores are none of this metric's ({error})") from error

    @cached_property
    def _checked(self) -> dict[Key, str | None]:
        """What is wrong with each metric that was asked for."""
        return {}

    def _fault(self, key: Key) -> str | None:
        scores = [score for score in self.scores_of(key) if score.invalid is None]
        estimate = self.estimates[key]
        if not scores or estimate.value is None:
            return estimate.reason or "there is no score a sample"
        metric = self._found(key)
        try:
            given = _value(metric, scores)
        except ValueError:  # scores of another kind than the metric's
            given = math.nan
        if math.isclose(given, estimate.value, rel_tol=_AGREES, abs_tol=_AGREES):
            return None
        if metric.name in {one.name for one in self._metrics(key)}:
            return f"the installed version of {key.metric} gives another value than the record"
        return f"{key.metric} is no mean, and the task that defines it is not installed"

    def _found(self, key: Key) -> Metric:
        """The metric of the task; else one that is known everywhere and of the same kind; else a mean."""
        estimate = self.estimates[key]
        alike = [one for one in (*self._metrics(key), *_known()) if one.name == key.metric and _is_of(one, estimate)]
        return alike[0] if alike else _mean(estimate)

    def _metrics(self, key: Key) -> Sequence[Metric]:
        if key[:2] not in self._built:
            self._built[key[:2]] = self._build(key)
        return self._built[key[:2]]

    @cached_property
    def _built(self) -> dict[tuple[str, str], Sequence[Metric]]:
        return {}

    def _build(self, key: Key) -> Sequence[Metric]:
        specs = [task for task in self.record.spec.tasks if (task.suite, task.task) == key[:2]]
        try:
            return rebuilt(key.task, specs[0].definition if specs else {}).metrics
        except HarnessError:  # what can't be built here is told by `_fault` where it matters
            return ()


@cache
def _known() -> Sequence[Metric]:
    """Metrics that go by their name everywhere, for tasks that can't be built from the record."""
    further = [registry.several("harness.metrics", name) for name in registry.names("harness.metrics")]
    return [*METRICS.values(), *(metric for several in further for metric in several)]


def _is_of(metric: Metric, estimate: Estimate) -> bool:
    """Whether an estimate is of this metric, by all that it says of it."""
    return (metric.unit, metric.direction, metric.target) == (estimate.unit, estimate.direction, estimate.target)


def _mean(estimate: Estimate) -> Metric:
    return MeanShare(
        name=estimate.metric,
        unit=estimate.unit,
        direction=estimate.direction,
        target=estimate.target,
        source="the mean of the recorded scores",
    )


def _value(metric: Metric, scores: Sequence[Score]) -> float:
    statistic = metric.resampled(scores)
    return statistic(np.arange(len(scores))) if statistic else metric.reduce(scores, Random(0)).value
