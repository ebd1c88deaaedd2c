"""What a run has before it: what it fetches, how much it reads and writes, and how long that takes at the rate seen."""

import logging
import time
from collections.abc import Callable, Sequence

from harness.core.models import Batch
from harness.core.process.progress import Progress
from harness.core.requests import GenerateUntil
from harness.core.text.display import duration
from harness.suitefiles.selection import lm_eval_names
from harness.tasks.options import TaskOptions

__all__ = ["MANY_TOKENS", "Outlook", "tell_what_is_fetched"]

MANY_TOKENS = 300_000
"""From so many on a run tells how long it takes: fewer are read in minutes on any machine."""
SEEN_S = 20.0
"""Of work, after which its rate is told."""

_log = logging.getLogger(__name__)


def tell_what_is_fetched(suites: Sequence[str], tasks: Sequence[str], options: TaskOptions) -> None:
    """Say which data sets will come from a hub, before any does. Raises as `select` does."""
    names = [] if options.offline else lm_eval_names(suites, tasks)
    if not names:
        return
    # lm_eval takes seconds to import, which only its tasks should cost.
    from harness.lm_eval.outline import what_is_fetched

    if fetched := what_is_fetched(names, options):
        _log.info("fetches first, once: %s", ", ".join(fetched))


class Outlook:
    """Tells how many tokens are to be read and written, and how long that takes at the rate of what was done.

    Reading and writing have rates of their own, each told once, after `SEEN_S` seconds of it. Texts may end early, so
    that writing takes as long at most; what a task asks later in the light of answers is not in it.
    """

    def __init__(self, progress: Progress, clock: Callable[[], float] = time.monotonic) -> None:
        self._progress, self._clock = progress, clock
        self._left = {"read": 0, "write": 0}
        self._done = {"read": 0, "write": 0}
        self._seconds = {"read": 0.0, "write": 0.0}
        self._since = clock()
        self._is_told = False
        self._untold: set[str] = set()

    def expect(self, batches: Sequence[Batch]) -> None:
        """What is to be done; said where it is much."""
        for batch in batches:
            kind, tokens = _of(batch)
            self._left[kind] += tokens
        if not self._is_told and sum(self._left.values()) >= MANY_TOKENS:
            self._is_told, self._untold = True, {kind for kind, left in self._left.items() if left}
            told = {"read": "{:,} tokens to read", "write": "at most {:,} to write"}
            said = [told[kind].format(left) for kind, left in self._left.items() if left]
            self._progress.note(f"{', '.join(said)}: how long that takes is told when its rate is known")

    def begin(self) -> None:
        """From here on batches are answered."""
        self._since = self._clock()

    def done(self, batch: Batch) -> None:
        """The batch is answered, since the last one was or it was begun; the rate is said where it is time."""
        (kind, tokens), began = _of(batch), self._since
        self._since = self._clock()
        self._left[kind] -= tokens
        self._done[kind] += tokens
        self._seconds[kind] += self._since - began
        seconds = self._seconds[kind]
        if kind in self._untold and seconds >= SEEN_S and self._done[kind]:
            self._untold.discard(kind)
            rate = self._done[kind] / seconds
            doing, most = ("writing", "at most ") if kind == "write" else ("reading", "")
            left, speed = self._left[kind], f"{doing} {rate:,.0f} tokens a second"
            self._progress.note(f"{speed}: {most}{duration(left / rate)} more for the {left:,} that are left")


def _of(batch: Batch) -> tuple[str, int]:
    writing = [request.max_tokens for request in batch.requests if isinstance(request, GenerateUntil)]
    return ("write", sum(writing)) if writing else ("read", batch.computed_token_count)
