"""Computes many items a few at a time, and survives a lack of memory."""

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from accelerate.utils.memory import should_reduce_batch_size

from harness.engine.planner import SHORTEST_SHARE, cut

__all__ = ["NO_MEMORY", "Halving", "is_lack_of_memory"]

NO_MEMORY = "out of memory even with this request alone"

Item = TypeVar("Item")
Result = TypeVar("Result")

_log = logging.getLogger(__name__)


class Halving(Generic[Item, Result]):
    """Cuts items into groups of at most `batch_tokens` padded tokens.

    Where the memory doesn't suffice, the group is cut in two, and half of it is the bound from then on.
    """

    def __init__(self, batch_tokens: int) -> None:
        self.batch_tokens = batch_tokens

    def run(
        self,
        items: Sequence[Item],
        length: Callable[[Item], int],
        compute: Callable[[Sequence[Item]], Result],
        share: float = SHORTEST_SHARE,
    ) -> Iterator[tuple[Sequence[Item], Result | None]]:
        """Each group of items with what `compute` made of it; None for a single item that the memory can't hold.

        Items come in the order of falling `length`, in tokens; a group's have `share` of that of its longest.
        """
        parts = cut([length(item) for item in items], self.batch_tokens, share)
        waiting = [items[part.start : part.stop] for part in reversed(parts)]
        while waiting:
            group = waiting.pop()
            try:
                yield group, compute(group)
            except Exception as error:
                if not is_lack_of_memory(error):
                    raise
                if len(group) == 1:
                    yield group, None
                    continue
                middle = len(group) // 2
                waiting.extend((group[:middle], group[middle:]))
                self.batch_tokens = min(self.batch_tokens, middle * max(map(length, group)))
                _log.warning("out of memory: going on with %d tokens in one forward pass", self.batch_tokens)


def is_lack_of_memory(error: Exception) -> bool:
    """Whether the error says that there is no memory, of the device or of the machine."""
    return isinstance(error, MemoryError) or should_reduce_batch_size(error)
