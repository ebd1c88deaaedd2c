"""How far long work is, on a terminal and off one."""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout

import typer
from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.progress import Progress as Bars
from rich.table import Column
from rich.text import Text

from harness.cli.console import errors
from harness.cli.process.interrupts import INTERRUPTED, interruptible
from harness.core.process.logs import logged_to
from harness.core.process.progress import Progress
from harness.core.text.display import duration

__all__ = ["LineProgress", "progress_bar", "resumable"]


class _BarProgress:
    """Shows a bar with the time left."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._job = bars.add_task("preparing", total=None, ends=None)

    def note(self, text: str) -> None:
        self._bars.console.print(Text(text))

    def begin(self, total: int) -> None:
        self._bars.update(self._job, total=total)

    def phase(self, name: str) -> None:
        self._bars.update(self._job, description=name)

    def advance(self, steps: int = 1) -> None:
        self._bars.advance(self._job, steps)

    def foresee(self, seconds: float) -> None:
        self._bars.update(self._job, ends=self._bars.get_time() + seconds)


class _Times(ProgressColumn):
    """The time that has passed, and what is left as it was foreseen; by the steps so far where it wasn't."""

    def render(self, task: Task) -> Text:
        ends = task.fields["ends"]
        left = task.time_remaining if ends is None else max(0.0, ends - task.get_time())
        told = "" if left is None else f", about {duration(left)} left"
        return Text(f"{duration(task.elapsed or 0.0)}{told}", style="progress.remaining")


_EVERY_S = 30.0
"""Between two lines of progress where there is no terminal, such as in a CI job's log."""


class LineProgress:
    """Off a terminal: notes, and every half minute a line that says how far it is."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._began = clock, clock()
        self._said = self._began
        self._phase, self._done, self._total = "preparing", 0, 0
        self._ends: float | None = None

    def note(self, text: str) -> None:
        """Something worth a line."""
        errors.print(Text(text))

    def begin(self, total: int) -> None:
        """From here on there are `total` steps, those that are done among them."""
        self._total = total

    def phase(self, name: str) -> None:
        """The steps that follow belong to `name`."""
        self._phase = name
        self._tell()

    def advance(self, steps: int = 1) -> None:
        """So many steps are finished."""
        self._done += steps
        self._tell()

    def foresee(self, seconds: float) -> None:
        """The steps that are left take about so long."""
        self._ends = self._clock() + seconds

    def _tell(self) -> None:
        now = self._clock()
        if now - self._said < _EVERY_S:
            return
        self._said = now
        far = f", {self._done:,} of {self._total:,} ({self._done / self._total:.0%})" if self._total else ""
        left = "" if self._ends is None or self._ends <= now else f", about {duration(self._ends - now)} to go"
        self.note(f"{self._phase}{far}, after {duration(now - self._began)}{left}")


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Progress on standard error: bars on a terminal, notes and a line every half minute elsewhere."""
    if not errors.is_terminal:
        progress = LineProgress()
        with logged_to(_NoteHandler(progress), logging.INFO):
            yield progress
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", table_column=Column(no_wrap=True, overflow="ellipsis", max_width=34)),
        BarColumn(bar_width=None),
        MofNCompleteColumn(table_column=Column(no_wrap=True)),
        _Times(table_column=Column(no_wrap=True)),
    )
    with Bars(*columns, console=errors, transient=True, expand=True) as bars:
        bar = _BarProgress(bars)
        with logged_to(_NoteHandler(bar), logging.INFO):
            yield bar


@contextmanager
def resumable() -> Iterator[Progress]:
    """Progress of work that the same command goes on with: where it is interrupted, it says so and ends with code 3.

    Code that the user trusts may print, and standard output is for the results: it prints to standard error.
    """
    try:
        with interruptible(), redirect_stdout(sys.stderr), progress_bar() as progress:
            progress.phase("starting")
            yield progress
    except KeyboardInterrupt as interrupt:
        errors.print(Text(INTERRUPTED))
        raise typer.Exit(3) from interrupt


class _NoteHandler(logging.Handler):
    """Notes what is logged for the user."""

    def __init__(self, progress: Progress) -> None:
        super().__init__(logging.INFO)
        self._progress = progress

    def emit(self, record: logging.LogRecord) -> None:
        self._progress.note(record.getMessage())
