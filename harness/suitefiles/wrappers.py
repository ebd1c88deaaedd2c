"""Tasks made of other tasks, by what stands before the colon: found by entry point, ours and third parties' alike."""

from harness.core import registry
from harness.core.tasks import Task

__all__ = ["GROUP", "wrapped", "wrapper_names"]

GROUP = "harness.task_wrappers"
"""Each entry is called with a `Task` and gives another, or raises `TaskError` for one that it can't take."""


def wrapper_names() -> list[str]:
    """What may stand before the colon of a task's name."""
    return registry.names(GROUP)


def wrapped(name: str, task: Task) -> Task:
    """The task, wrapped: `robustness:piqa` is `wrapped("robustness", piqa)`. Raises `PluginError` and `TaskError`."""
    made: Task = registry.make(GROUP, name, task)
    return made
