"""A run's scores as other tools read them. What a tool can't hold of a score is left out, or in its free fields."""

from collections.abc import Callable, Mapping
from pathlib import Path

from harness.core.errors import UnknownName
from harness.publishing.exports import every_eval_ever, lm_eval, mlflow, oscal, table
from harness.record import RunRecord

__all__ = ["FORMATS", "export"]

FORMATS: Mapping[str, Callable[[RunRecord, Path], Path]] = {
    "csv": table.write,
    "every-eval-ever": every_eval_ever.write,
    "lm-eval": lm_eval.write,
    "mlflow": mlflow.write,
    "oscal": oscal.write,
}
"""What writes each format: a file, or a folder for mlflow."""


def export(record: RunRecord, form: str, out: Path) -> Path:
    """Write a sealed run's scores in the format `form` to `out`; gives the path to look at.

    Raises `UnknownName` for another format, `RecordError` where it can't be written.
    """
    if form not in FORMATS:
        raise UnknownName("format", form, FORMATS)
    return FORMATS[form](record, out)
