"""A run as suites see it that are asked for their figures, with its record or without. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import pandas as pd

from harness.core.scores import Estimate, SampleGroup
from harness.core.text.reasons import unworded
from harness.record import RunRecord

__all__ = ["StoredRun"]

_COUNTS = ("n", "invalid_count", "tie_count", "truncated_count")


@dataclass(frozen=True)
class StoredRun:
    """See `harness.core.reports.ReportedRun`; without a record its scores and samples have no row."""

    model: str
    estimates: Sequence[Estimate]
    record: RunRecord | None

    @classmethod
    def of(cls, rows: pd.DataFrame, record: RunRecord | None) -> "StoredRun":
        """The run of these rows of the store, which have its `name`; the estimates are those of its record, if any."""
        estimates = [_estimate(row) for row in rows.to_dict("records")] if record is None else record.estimate_list
        return cls("" if rows.empty else str(rows["name"].iloc[0]), estimates, record)

    @cached_property
    def scores(self) -> pd.DataFrame:
        """One row a sample and metric."""
        return _EMPTY_SCORES if self.record is None else self.record.scores

    @cached_property
    def samples(self) -> pd.DataFrame:
        """One row a request."""
        return _EMPTY_SAMPLES if self.record is None else self.record.samples


_EMPTY_SCORES = pd.DataFrame(columns=["suite", "task", "metric", "sample_id", "value", "gold", "predicted", "invalid"])
_EMPTY_SAMPLES = pd.DataFrame(columns=["suite", "task", "sample_id", "kind", "context", "continuation", "text"])


def _estimate(row: Mapping[Any, Any]) -> Estimate:
    known = {one.name: row[one.name] for one in fields(Estimate) if one.name in row and not pd.isna(row[one.name])}
    counts = {name: int(known[name]) for name in _COUNTS if name in known}
    if "reason" in known:
        known["reason"] = unworded(known["reason"], row.get("wording"))
    group = SampleGroup.parse(known["group"]) if "group" in known else None
    return Estimate(**{"value": None, "signature": "", **known, **counts, "group": group})
