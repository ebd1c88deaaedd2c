"""How long batches take, going by those that were answered already."""

from collections.abc import Iterator, Mapping, Sequence

from harness.core.models import Batch
from harness.core.requests import GenerateUntil

__all__ = ["Pace", "first_batches", "work_of", "written_most"]

_STEP, _WRITTEN = 32, 2
# Seen of 135 M parameters on two cores, in ten batches of 24 to 256 steps and 4 to 163 texts: with these the seconds of
# a batch are in proportion to its work to a quarter; with the written tokens alone, they were so to a factor of five.


def written_most(batch: Batch) -> int:
    """The most tokens that a batch may write."""
    return sum(one.max_tokens for one in batch.requests if isinstance(one, GenerateUntil))


def work_of(batch: Batch) -> int:
    """What a batch's time is about in proportion to, among batches of one kind.

    The tokens that it reads, or its requests where nobody counts these. What it writes is told in tokens that are read
    in the same time: a step, which reads all weights for one token of each text, and each token of a step. Texts are
    taken to be as long as they may be.
    """
    read = batch.computed_token_count or len(batch.requests)
    if steps := max((one.max_tokens for one in batch.requests if isinstance(one, GenerateUntil)), default=0):
        return read + _STEP * steps + _WRITTEN * written_most(batch)
    return read


class Pace:
    """Seconds by the work of a batch: as seen in its own phase, else in any phase that asks requests of its kind."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, float]] = {}

    def saw(self, phase: str, batch: Batch, seconds: float) -> None:
        """The batch of that phase took so long."""
        for key in (phase, _kind(batch)):
            work, spent = self._seen.get(key, (0, 0.0))
            self._seen[key] = (work + work_of(batch), spent + seconds)

    def seconds(self, phase: str, kind: str, work: int) -> float | None:
        """How long so much work of a phase will take; None where none of its kind was seen."""
        seen = self._seen.get(phase) or self._seen.get(kind)
        return None if seen is None else work * seen[1] / seen[0]

    def of(self, phase: str, batch: Batch) -> float | None:
        """As `seconds`, of a batch."""
        return self.seconds(phase, _kind(batch), work_of(batch))


def first_batches(planned: Mapping[str, Sequence[Batch]]) -> Iterator[tuple[str, Batch, bool]]:
    """A batch of middle size of each phase, to go by, and whether it is the first of its kind.

    First of each kind of request the one with the least work, then those of the other phases, of which there is most to
    do first. What is trained isn't tried.
    """
    middle = {
        name: sorted(batches, key=work_of)[len(batches) // 2]
        for name, batches in planned.items()
        if batches and not any(one.needs_training for one in batches[0].requests)
    }
    cheapest: dict[str, str] = {}
    for name in sorted(middle, key=lambda one: work_of(middle[one])):
        cheapest.setdefault(_kind(middle[name]), name)
    yield from ((name, middle[name], True) for name in cheapest.values())
    others = [name for name in middle if name not in cheapest.values()]
    for name in sorted(others, key=lambda one: -sum(map(work_of, planned[one]))):
        yield name, middle[name], False


def _kind(batch: Batch) -> str:
    return batch.requests[0].kind
