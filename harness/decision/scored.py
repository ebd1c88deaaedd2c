"""A run's scores and estimates by what they are of, ready to be recomputed."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from harness.core import registry
from harness.core.metrics import Metric, Undefined
from harness.core.scores import Estimate, Score
from harness.core.statistics import Statistic, mean_of
from harness.record import RunRecord
from harness.tasks.metrics import METRICS

__all__ = ["Key", "Scored", "key_of"]

_AGREES = 1e-6


class Key(NamedTuple):
    """What a number is of; `group` is None for all samples."""

    suite: str
    task: str
    metric: str
    group: str | None = None

    def __str__(self) -> str:
        return "/".join(self[:3]) + (f" [{self.group}]" if self.group else "")


def key_of(estimate: Estimate) -> Key:
    """Where an estimate belongs."""
    return Key(estimate.suite, estimate.task, estimate.metric, estimate.group)


class Scored:
    """A sealed run, read once. Raises `RecordError` where a file is missing or malformed."""

    def __init__(self, record: RunRecord) -> None:
        self.record = record
        self.estimates: Mapping[Key, Estimate] = {key_of(one): one for one in record.estimate_list}

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

    def statistic(self, key: Key, scores: Sequence[Score]) -> Statistic:
        """What the metric is on resamples of some of its valid scores.

        Raises `Undefined`, with the reason, where that can't be told: the metric offers none, or as it is installed now
        it doesn't give the recorded value on all of the run's scores.
        """
        found = self._recompute(Key(*key[:3]))(scores)
        if found is None:
            raise Undefined(f"{key.metric} can't be recomputed on resamples")
        return found

    def _recompute(self, key: Key) -> "_Recompute":
        if key not in self._checked:
            try:
                self._checked[key] = self._find(key)
            except Undefined as undefined:
                self._checked[key] = str(undefined)
        found = self._checked[key]
        if isinstance(found, str):
            raise Undefined(found)
        return found

    @cached_property
    def _checked(self) -> "dict[Key, _Recompute | str]":
        """How each metric is recomputed, or why it can't be."""
        return {}

    def _find(self, key: Key) -> "_Recompute":
        valid = [score for score in self.scores.get(key, ()) if score.invalid is None]
        recorded = self.estimates[key].value
        if not valid or recorded is None:
            raise Undefined(self.estimates[key].reason or "there is no score a sample")
        metric = _installed(key)
        recompute = metric.resampled if metric else _mean
        found = recompute(valid)
        if found is None:
            raise Undefined(f"{key.metric} can't be recomputed on resamples")
        if not math.isclose(found(np.arange(len(valid))), recorded, rel_tol=_AGREES, abs_tol=_AGREES):
            raise Undefined(
                f"the installed version of {key.metric} gives another value than the record"
                if metric
                else f"{key.metric} is no mean, and the task that defines it is not installed"
            )
        return recompute


_Recompute = Callable[[Sequence[Score]], Statistic | None]
"""As `Metric.resampled`."""


def _mean(scores: Sequence[Score]) -> Statistic:
    values = [math.nan if score.value is None else score.value for score in scores]
    return mean_of(np.array(values, dtype=float))


def _installed(key: Key) -> Metric | None:
    """The metric of a registered task, or the one that is known by this name everywhere."""
    metrics = registry.task(key.task).metrics if key.task in registry.names("harness.tasks") else ()
    return next((metric for metric in metrics if metric.name == key.metric), METRICS.get(key.metric))
