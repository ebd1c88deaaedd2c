"""The types of task that a suite file can declare: found by entry point, ours and third parties' alike."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from harness.core import registry
from harness.core.tasks import Task
from harness.suitefiles.declaration import Declaration
from harness.suitefiles.declaring import DeclarationContext

__all__ = ["GROUP", "TaskType", "task_type"]

GROUP = "harness.task_types"

D = TypeVar("D", bound=Declaration)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskType(Generic[D]):
    """What `type: NAME` stands for in a suite file: what may be declared of such a task, and how it is made.

    `declaration` says by its fields which keys there are; `build` makes the task, and raises `TaskError` for settings
    that contradict each other, `DataError` where the data file isn't there.
    """

    declaration: type[D]
    build: Callable[[D, DeclarationContext], Task]


def task_type(name: str) -> TaskType[Declaration]:
    """The type of that name. Raises `UnknownName` or `PluginError`."""
    found: TaskType[Declaration] = registry.load(GROUP, name)
    return found
