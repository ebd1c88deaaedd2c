"""What tasks share whose scores another instrument enters."""

from collections.abc import Sequence

from typing_extensions import override

from harness.core.scorers import TextScorer
from harness.core.tasks import Task

__all__ = ["JudgedTask"]


class JudgedTask(Task):
    """A task that scores what is written by `toxicity`, which its `use_toxicity` sets.

    A run is another once the scorer's code is edited.
    """

    toxicity: TextScorer

    @property
    @override
    def code(self) -> Sequence[type]:
        """With that of the scorer."""
        return (*super().code, type(self.toxicity))
