"""The rows of a task as texts that might have been read in training."""

from collections.abc import Sequence

from harness.core.datasets import Row
from harness.core.errors import DataError
from harness.tasks.choices import MultipleChoice
from harness.tasks.rows import RowTask, sample_of

__all__ = ["text_of", "usable_rows"]


def usable_rows(task: RowTask, rows: Sequence[Row]) -> list[int]:
    """The indices of the rows that a task can ask. Raises `DataError` where there is none."""
    found = [index for index in range(len(rows)) if index not in task.excluded]
    if not found:
        raise DataError("has no row to evaluate", place=task.name)
    return found


def text_of(task: RowTask, row: Row) -> str:
    """A row as the task asks it, with the right choice behind it where it has choices. Raises as `sample_of` does."""
    sample = sample_of(task, row)
    return f"{sample.prompt} {task.answer(sample)}" if isinstance(task, MultipleChoice) else sample.prompt
