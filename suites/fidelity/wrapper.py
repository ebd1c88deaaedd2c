"""Any task of perplexity or with choices, asked of a reference too."""

from harness.core.errors import TaskError
from harness.core.metrics import Proportion
from harness.core.tasks import Task
from harness.tasks.choices import MultipleChoice
from harness.tasks.rolling import RollingPerplexity
from suites.fidelity.choices import FlipTask
from suites.fidelity.referred import FIDELITY
from suites.fidelity.texts import DivergenceTask

__all__ = ["fidelity"]


def fidelity(task: Task) -> DivergenceTask | FlipTask:
    """The task with a reference beside the model. Raises `TaskError` for another sort of task."""
    if isinstance(task, RollingPerplexity):
        return DivergenceTask(task)
    if isinstance(task, MultipleChoice) and isinstance(task.metrics[0], Proportion):
        return FlipTask(task)
    raise TaskError(
        "a reference is held against texts that are read whole, or right choices are counted: the task has neither",
        place=f"{FIDELITY}:{task.name}",
        fix="Use one such as piqa or xsum_documents",
    )
