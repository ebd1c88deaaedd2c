"""Other tasks, looked at for whether a model may have read them."""

from harness.core.errors import TaskError
from harness.core.tasks import Task
from harness.tasks.choices import MultipleChoice
from harness.tasks.rows import RowTask
from suites.contamination.orders import OrderTask
from suites.contamination.overlap import OverlapTask
from suites.contamination.twins import TwinTask

__all__ = ["exchangeability", "freshness", "overlap"]


def exchangeability(task: Task) -> OrderTask:
    """The order of the task's rows. Raises `TaskError` for a task that isn't made of rows."""
    return OrderTask(_of_rows(task, "exchangeability"))


def freshness(task: Task) -> TwinTask:
    """The task's texts against twins with other numbers. Raises `TaskError` for a task that isn't made of rows."""
    return TwinTask(_of_rows(task, "freshness"))


def overlap(task: Task) -> OverlapTask:
    """The task's questions, looked for in a corpus. Raises `TaskError` for a task without choices."""
    if not isinstance(task, MultipleChoice):
        raise TaskError(
            "questions with choices are looked for: the task has none",
            place=f"overlap:{task.name}",
            fix="Use one such as piqa",
        )
    return OverlapTask(task)


def _of_rows(task: Task, prefix: str) -> RowTask:
    if not isinstance(task, RowTask) or task.data is None:
        raise TaskError(
            "rows of a data set are looked at: the task has none, or groups them",
            place=f"{prefix}:{task.name}",
            fix="Use one such as piqa or gsm8k",
        )
    return task
