"""What a number of a run is of."""

from typing import NamedTuple

from typing_extensions import override

from harness.core.scores import OVERALL, Estimate, SampleGroup

__all__ = ["Key", "key_of"]


class Key(NamedTuple):
    """What a number is of; `group` is None for all samples."""

    suite: str
    task: str
    metric: str
    group: SampleGroup | None = None

    @property
    def whole(self) -> "Key":
        """The number of all samples."""
        return Key(*self[:3])

    @property
    def is_headline(self) -> bool:
        """Whether it is its suite's one score."""
        return self.task == OVERALL

    @override
    def __str__(self) -> str:
        return "/".join(self[:3]) + (f" [{self.group}]" if self.group else "")


def key_of(estimate: Estimate) -> Key:
    """Where an estimate belongs."""
    return Key(estimate.suite, estimate.task, estimate.metric, estimate.group)
