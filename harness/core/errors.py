"""Every error that a user can meet.

HarnessError                  something the user can act on; the CLI prints it in one line and exits with 2
├── InputError                what the user typed or wrote in a file can't be used
│   ├── UnknownName           no suite, task, data set or run of that name (says which one was meant)
│   ├── CheckpointError       a checkpoint is missing, malformed or unsafe
│   ├── DataError             a data set is missing, malformed or not what its hash says
│   └── TaskError             a task file or a task's settings can't be used
├── UnavailableError          it would have to be fetched, and can't be: no network, or offline by choice
├── PluginError               an entry point fails to import or is of the wrong kind
├── SandboxError              a program that a model wrote can't be run safely on this machine
├── ModelError                the model failed while it answered
├── RecordError               a run record can't be written, read or trusted
│   └── RecordLockedError     another process holds the run
└── StoreError                the index of records can't be read or written
    └── DamagedStoreError     what it holds is no index any more; it is built anew from the records
"""

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from rapidfuzz import process

__all__ = [
    "CheckpointError",
    "DamagedStoreError",
    "DataError",
    "HarnessError",
    "InputError",
    "ModelError",
    "PluginError",
    "RecordError",
    "RecordLockedError",
    "SandboxError",
    "StoreError",
    "TaskError",
    "UnavailableError",
    "UnknownName",
]

SHOWN = 50
"""Known names that an error lists; lm-eval knows more than 14,000 tasks."""


class HarnessError(Exception):
    """An error that names its place, what is wrong there, and what to do next.

    `problem` says what is wrong, in words that follow the place and a colon; `place` is the file, option or
    name at fault; `fix` is the next step, a sentence without its full stop.
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, problem: str, *, place: str | Path | None = None, fix: str | None = None) -> None:
        self.problem = problem
        self.place = None if place is None else str(place)
        self.fix = fix
        super().__init__(problem)

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        stop = "" if self.problem.endswith((".", "?")) else "."  # what was suggested ends as a question
        then = f"{stop} {self.fix}" if self.fix else ""
        # A name from a file may hold line breaks, and an error is one line.
        return " ".join(f"{where}{self.problem}{then}".splitlines())


class InputError(HarnessError):
    """What the user typed, or wrote in a file, can't be used."""


class UnknownName(InputError):  # noqa: N818 - reads as the fault it names
    """A name that nothing is registered under; suggests the nearest ones that are."""

    def __init__(self, kind: str, name: str, known: Iterable[str], *, fix: str | None = None) -> None:
        names, name = sorted(known), str(name)  # from Python anything may come
        near = [match for match, score, _ in process.extract(name, names, limit=3) if score >= 60]
        others = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        listed = f"known: {', '.join(names[:SHOWN]) or 'none'}{others}"
        hint = f"did you mean {' or '.join(near)}?" if near else listed
        super().__init__(f"no such {kind}; {hint}", place=name, fix=fix)


class CheckpointError(InputError):
    """A checkpoint is missing, malformed or unsafe to load."""


class DataError(InputError):
    """A data set is missing, malformed, or not what its hash says."""


class TaskError(InputError):
    """A task file, or the settings of a task, can't be used."""


class UnavailableError(HarnessError):
    """Something would have to be fetched and can't be: no network, or offline by choice."""


class PluginError(HarnessError):
    """An entry point fails to import, or gives something of the wrong kind."""


class SandboxError(HarnessError):
    """A program that a model wrote can't be run where it could do no harm, so it is not run."""


class ModelError(HarnessError):
    """The model failed while it answered a request."""


class RecordError(HarnessError):
    """A run record can't be written, read or trusted."""


class RecordLockedError(RecordError):
    """Another process holds the run."""


class StoreError(HarnessError):
    """The index of records can't be read or written; the records themselves are whole."""


class DamagedStoreError(StoreError):
    """The index of records is damaged; it can be built anew from them."""
