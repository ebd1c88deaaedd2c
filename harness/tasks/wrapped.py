"""Tasks that ask another task's questions in a way of their own."""

from collections.abc import Sequence
from copy import copy
from pathlib import Path
from typing import Generic, Self, TypeVar

from typing_extensions import override

from harness.core.checkpoints import Checkpoint
from harness.core.perturbations import common_beginning
from harness.core.tasks import Task

__all__ = ["WrappedTask", "common_beginning"]

Inner = TypeVar("Inner", bound=Task)


class WrappedTask(Task, Generic[Inner]):
    """A task around the task `inner`, with its data, sizes, requests and refusals; goes by `prefix:NAME`."""

    def __init__(self, prefix: str, inner: Inner) -> None:
        self.name = f"{prefix}:{inner.name}"
        self.inner = inner
        self.version = inner.version
        self.data, self.languages, self.asks = inner.data, inner.languages, inner.asks
        self.default_limit, self.default_num_fewshot = inner.default_limit, inner.default_num_fewshot
        self.supports_fewshot = inner.supports_fewshot
        self.executes_code = inner.executes_code

    @property
    @override
    def code(self) -> Sequence[type]:
        """With the inner task's."""
        return (*super().code, *self.inner.code)

    @property
    @override
    def scripts(self) -> Sequence[Path]:
        """With the inner task's."""
        return (*super().scripts, *self.inner.scripts)

    @override
    def refusal(self, checkpoint: Checkpoint) -> str | None:
        """The inner task's."""
        return self.inner.refusal(checkpoint)

    @override
    def suited(self, checkpoint: Checkpoint) -> Self:
        """Around the inner task as it suits the checkpoint."""
        other = copy(self)
        other.inner = self.inner.suited(checkpoint)  # type: ignore[assignment]  # of the same sort as `inner`
        return other
