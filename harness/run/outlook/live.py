"""How long a run will still take, told before it begins in earnest and kept up to date."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from harness.core.models import Batch
from harness.core.process.progress import Progress
from harness.core.text.counts import numbered
from harness.core.text.display import duration
from harness.run.outlook.pace import Pace, first_batches, work_of, written_most

__all__ = ["MANY_TOKENS", "TRIAL_S", "Outlook"]

MANY_TOKENS = 20_000
"""From so many on a run says how long it takes: fewer are read within a minute on any machine."""
TRIAL_S = 15.0
"""No batch is answered ahead of its turn that would probably end later than this."""


class Outlook:
    """Tells how many tokens are to be read and written, and how long that takes by what was answered so far.

    Where there is much to do and it `tries`, some batches are answered ahead of their turn (`trials`), at least one of
    each kind of request unless the model is trained for it. Texts may end early, so that writing takes as long at most;
    what a task asks later in the light of answers is not in it before it is asked.
    """

    def __init__(self, progress: Progress, *, tries: bool = True, clock: Callable[[], float] = time.monotonic) -> None:
        self._progress, self._tries, self._clock = progress, tries, clock
        self._planned: dict[str, Sequence[Batch]] = {}
        self._left: dict[str, int] = {}
        self._pace = Pace()
        self._since = clock()
        self._answered = 0
        self._is_much = False

    def expect(self, planned: Mapping[str, Sequence[Batch]]) -> None:
        """The batches that are to be answered, by phase; said once, where they are many."""
        self._planned = {name: batches for name, batches in planned.items() if batches}
        for name, batches in self._planned.items():
            self._left[name] = self._left.get(name, 0) + sum(map(work_of, batches))
        if not self._is_much and (told := _told(self._planned)):
            self._is_much = True
            self._progress.note(told)

    def trials(self) -> Iterator[tuple[str, Batch]]:
        """Batches to be answered before all others; how long the whole takes is said after the last of them."""
        if not (self._tries and self._is_much) or self._answered:
            return
        begun = self._clock()
        for name, batch, is_first in first_batches(self._planned):
            spent = self._clock() - begun
            if is_first or spent + (self._pace.of(name, batch) or TRIAL_S) <= TRIAL_S:
                yield name, batch
        if (left := self.left_s) is not None:
            tried = numbered(self._answered, "batch", "batches")
            self._progress.note(f"about {duration(left)} to go on this machine, going by {tried}")

    @property
    def left_s(self) -> float | None:
        """How long what is left takes, as far as can be told; None where nothing is known yet."""
        known = [
            seconds
            for name, work in self._left.items()
            if work and (seconds := self._pace.seconds(name, _kind(name), work)) is not None
        ]
        return sum(known) if known or not any(self._left.values()) else None

    def begin(self) -> None:
        """From here on batches are answered."""
        self._since = self._clock()

    def done(self, phase: str, batch: Batch) -> None:
        """The batch is answered, since the last one was or it was begun."""
        began, self._since = self._since, self._clock()
        self._answered += 1
        self._left[phase] -= work_of(batch)
        self._pace.saw(phase, batch, self._since - began)
        if (left := self.left_s) is not None:
            self._progress.foresee(left)


def _told(planned: Mapping[str, Sequence[Batch]]) -> str:
    """How many tokens the batches read and write at most; empty where they are few."""
    batches = [batch for several in planned.values() for batch in several]
    reading = sum(batch.computed_token_count for batch in batches)
    writing = sum(map(written_most, batches))
    if reading + writing < MANY_TOKENS:
        return ""
    told = [f"{reading:,} tokens to read"] if reading else []
    if writing:
        told.append(f"at most {writing:,} to write" if told else f"at most {writing:,} tokens to write")
    return ", ".join(told)


def _kind(phase: str) -> str:
    return phase.rpartition("/")[2]
