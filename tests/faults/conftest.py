"""Runs with faults in them, and a tally of what came of them.

`make test` tries a few faults of each kind; `make faults` (HARNESS_FAULTS=all) every one, and prints the table, and
`make workers` (HARNESS_FAULTS=workers) those of workers and of machines.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import write_suite
from tests.faults.child import Fault, enter
from tests.forks import started

ALL = os.environ.get("HARNESS_FAULTS") == "all"
WORKERS = os.environ.get("HARNESS_FAULTS") == "workers"


@dataclass(frozen=True)
class Ended:
    """How a process ended: its exit code (negative: the signal), and what it printed."""

    exit_code: int
    out: str
    err: str


@dataclass
class Started:
    """A process at work."""

    process: Any
    folder: Path

    @property
    def pid(self) -> int:
        return int(self.process.pid)

    def end(self, timeout_s: float = 120) -> Ended:
        self.process.join(timeout_s)
        assert self.process.exitcode is not None, "it hangs"
        read = [(self.folder / name).read_text() if (self.folder / name).exists() else "" for name in FILES]
        return Ended(self.process.exitcode, *read)


FILES = ("out.txt", "err.txt")


@dataclass
class Place:
    """A folder with a checkpoint and a suite, in which `harness eval` runs."""

    folder: Path
    model: Path
    start_process: Callable[..., Any]
    options: tuple[str, ...] = ()
    faults: list[Fault] = field(default_factory=list)

    def start(self, *faults: Fault, options: tuple[str, ...] = (), paths: tuple[str, ...] = ()) -> Started:
        arguments = ["eval", "--model", self.model, "--suite", "mine.yaml", "--meter", "none", "--batch-tokens", 40]
        arguments += [*self.options, *options]
        process = self.start_process((list(map(str, arguments)), self.folder, list(faults), list(paths)))
        return Started(process, self.folder)

    def run(self, *faults: Fault, options: tuple[str, ...] = (), paths: tuple[str, ...] = ()) -> Ended:
        return self.start(*faults, options=options, paths=paths).end()

    @property
    def record(self) -> Path:
        """The folder of the one run."""
        (found,) = (self.folder / "runs").glob("*/")
        return found

    def scores(self) -> dict[str, bytes]:
        names = ("spec.json", "scores.parquet", "responses.parquet", "estimates.json", "samples.merkle")
        return {name: (self.record / name).read_bytes() for name in names}


@pytest.fixture(scope="session")
def start_process() -> Iterator[Callable[..., Any]]:
    """Starts `enter` in a child of the fork server."""
    begun = []

    def start(arguments: tuple[Any, ...]) -> Any:
        begun.append(started(enter, arguments))
        return begun[-1]

    yield start
    for process in begun:
        if process.is_alive():
            process.kill()
            process.join()


@pytest.fixture
def place(tmp_path: Path, tiny_llama: Path, start_process: Callable[..., Any]) -> Place:
    """A new place to run in."""
    return new_place(tmp_path / "place", tiny_llama, start_process)


def new_place(folder: Path, model: Path, start_process: Callable[..., Any]) -> Place:
    folder.mkdir()
    write_suite(folder)
    return Place(folder, model, start_process)


@pytest.fixture(scope="session")
def short() -> Iterator[Path]:
    """A folder with a name that is short enough for the sockets of Ray."""
    with tempfile.TemporaryDirectory(prefix="short-", dir="/tmp") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, tiny_llama: Path, start_process: Callable[..., Any]) -> Place:
    """The same run without any fault, sealed."""
    place = new_place(tmp_path_factory.mktemp("undisturbed") / "place", tiny_llama, start_process)
    ended = place.run(("count_steps", str(place.folder / "steps")))
    assert ended.exit_code == 0, ended.err
    return place


@dataclass
class Tally:
    """Of each kind of fault: how many were tried, how many the run survived as it should, and what was lost."""

    rows: dict[str, list[int]] = field(default_factory=dict)

    def add(self, fault: str, *, survived: bool, lost: int = 0) -> None:
        row = self.rows.setdefault(fault, [0, 0, 0])
        row[0] += 1
        row[1] += survived
        row[2] += lost

    def lines(self) -> list[str]:
        head = ["| fault | tried | survived | responses lost |", "|---|---|---|---|"]
        return head + [f"| {name} | {tried} | {held} | {lost} |" for name, (tried, held, lost) in self.rows.items()]


_TALLY = Tally()


@pytest.fixture(scope="session")
def tally() -> Tally:
    """See `Tally`."""
    return _TALLY


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if (ALL or WORKERS) and _TALLY.rows:
        terminalreporter.section("faults")
        for line in _TALLY.lines():
            terminalreporter.write_line(line)
