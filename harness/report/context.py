"""What every section of a report may look at, read once from a sealed record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePath
from typing import Any

import pandas as pd

from harness.core.scores import Estimate
from harness.decision.comparison import Comparison, compare
from harness.decision.context import ScoreContext, score_contexts
from harness.decision.keys import Key
from harness.decision.verdicts import Verdict
from harness.record import RunRecord
from harness.report.words import Words

__all__ = ["ReportContext", "Statements"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """What only people can say, and a record can't hold: what the model is for, and who answers for the report."""

    intended_use: str = ""
    signer: str = ""
    organisation: str = ""


@dataclass(frozen=True, kw_only=True)
class ReportContext:
    """A record with its words, the run that it is compared with, the verdicts on it."""

    record: RunRecord
    words: Words
    verdicts: Sequence[Verdict] = ()
    baseline: RunRecord | None = None
    statements: Statements = field(default_factory=Statements)

    @cached_property
    def estimates(self) -> Sequence[Estimate]:
        """All estimates of the run, in its order."""
        return self.record.estimate_list

    @cached_property
    def headlines(self) -> Sequence[Estimate]:
        """One score a suite, those without a value among them."""
        return [one for one in self.estimates if one.is_headline and one.applies]

    @cached_property
    def absent(self) -> Sequence[Estimate]:
        """The scores of tasks as a whole that should have a value and have none."""
        whole = (one for one in self.estimates if one.applies and one.group is None and not one.is_headline)
        return [one for one in whole if one.value is None]

    @cached_property
    def scores(self) -> pd.DataFrame:
        """One row a sample and metric."""
        return self.record.scores

    @cached_property
    def samples(self) -> pd.DataFrame:
        """One row a request."""
        return self.record.samples

    @cached_property
    def checkpoint(self) -> Mapping[str, Any]:
        """What was evaluated."""
        return self.record.checkpoint

    @cached_property
    def environment(self) -> Mapping[str, Any]:
        """Where the run happened."""
        return self.record.environment

    @cached_property
    def _readings(self) -> frozenset[tuple[str, str, str]]:
        """Suite, task and metric of what was read from a meter."""
        return frozenset((one.suite, one.task, one.metric) for one in self.record.measurement_list)

    def unusable(self, one: Estimate) -> int:
        """How many samples an estimate lacks; 0 of a meter's reading, which counts something else than samples."""
        return 0 if (one.suite, one.task, one.metric) in self._readings else one.invalid_count

    @cached_property
    def comparison(self) -> Comparison | None:
        """The run against its baseline; None without one. Raises `RecordError` where they can't be compared."""
        return None if self.baseline is None else compare(self.baseline, self.record, groups=False)

    @cached_property
    def contexts(self) -> Mapping[Key, ScoreContext]:
        """Where each score stands. Raises as `comparison`."""
        return score_contexts(self.record, self.comparison, self.estimates)

    @property
    def model(self) -> str:
        """The model's name: of a folder its last part, since where it lay says nothing to a reader."""
        name = self.record.spec.model
        return PurePath(name).name if PurePath(name).is_absolute() else name

    @property
    def sample_count(self) -> int:
        """Samples of all tasks together."""
        return sum(task.sample_count for task in self.record.spec.tasks)
