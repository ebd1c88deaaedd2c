"""All scores as one CSV file, a row each, safe to open in a spreadsheet."""

import csv
import io
from dataclasses import fields
from pathlib import Path
from typing import Any

from harness.core.scores import Estimate
from harness.record import RunRecord
from harness.record.estimates import estimate_row
from harness.record.files import write_whole

__all__ = ["write"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write(record: RunRecord, out: Path) -> Path:
    """Write the estimates with the run's id and model. Texts that a spreadsheet would compute get an apostrophe."""
    names = [field.name for field in fields(Estimate)]
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["run_id", "model", *names])
    for estimate in record.estimate_list:
        row = estimate_row(estimate)
        writer.writerow([_safe(value) for value in (record.run_id, record.spec.model, *(row[name] for name in names))])
    write_whole(out, text.getvalue().encode())
    return out


def _safe(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
