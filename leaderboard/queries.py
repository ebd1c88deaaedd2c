"""From records to tables: pure, no page and no chart in sight."""

from collections.abc import Iterable

import pandas as pd

from harness.record import RunRecord

__all__ = ["estimates_of"]


def estimates_of(records: Iterable[RunRecord]) -> pd.DataFrame:
    """One row an estimate of every sealed record that verifies, with the run and its model beside it.

    Columns are those of `Estimate`, after `run_id`, `model` and `fingerprint`. Runs that are unfinished or were changed
    after their seal give no rows.
    """
    frames = []
    for record in records:
        if record.state == "sealed" and not record.verify():
            spec = record.spec
            identity = {"run_id": record.run_id, "model": spec.model, "fingerprint": spec.fingerprint}
            frames.append(pd.DataFrame({**identity, **row} for row in record.estimates.to_dict("records")))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
