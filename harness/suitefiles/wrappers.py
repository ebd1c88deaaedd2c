"""Tasks made of other tasks, by what stands before the colon: found by entry point, ours and third parties' alike."""

from inspect import signature

from harness.core import registry
from harness.core.errors import TaskError
from harness.core.tasks import Task

__all__ = ["GROUP", "is_wrapper", "wrapped"]

GROUP = "harness.task_wrappers"
"""Each entry is called with a `Task` and gives another, or raises `TaskError` for one that it can't take.

One whose second parameter is called `instrument` can be told by name which to use: `WRAPPER@INSTRUMENT:TASK`.
"""
_BY = "@"


def is_wrapper(prefix: str) -> bool:
    """Whether what stands before the colon of a task's name names a wrapper."""
    return prefix.partition(_BY)[0] in registry.names(GROUP)


def wrapped(prefix: str, task: Task) -> Task:
    """The task, wrapped: `robustness:piqa` is `wrapped("robustness", piqa)`.

    Raises `PluginError`, `TaskError`, and `UnknownName` for what stands behind an `@`.
    """
    name, told, instrument = prefix.partition(_BY)
    if told and not _takes_instrument(name):
        raise TaskError(
            f"{name} takes no name behind an {_BY}", place=f"{prefix}:{task.name}", fix=f"Use {name}:{task.name}"
        )
    made: Task = registry.make(GROUP, name, task, *([instrument] if told else []))
    return made


def _takes_instrument(wrapper: str) -> bool:
    return list(signature(registry.load(GROUP, wrapper)).parameters)[1:2] == ["instrument"]
