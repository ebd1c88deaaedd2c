"""Exit code 1 says that a rule of a policy failed. Nothing else does, whatever goes wrong."""

import os
import random
import shutil
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from harness.cli import app as commands
from harness.cli.app import app
from harness.store import Store, fill, locate
from harness.store.schema import runs as indexed_runs
from tests.cli.conftest import harness_here
from tests.decision.runs import flipped, scores_of, sealed
from tests.faults.conftest import ALL

assert harness_here  # a fixture

POLICY = "format: 1\nname: p\nrules:\n  - {kind: floor, suite: quiz, bound: BOUND}\n"
OUTCOMES = {"0.2": 0, "0.9": 1, "0.5": 3}
"""Of a run with half of its answers right."""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a sealed run, and a policy for each outcome of a gate."""
    values, _ = flipped(120, gained=0, lost=0)
    sealed(tmp_path / "runs", "a", scores_of(values))
    for bound in OUTCOMES:
        (tmp_path / f"{bound}.yaml").write_text(POLICY.replace("BOUND", bound))
    return tmp_path


def gate(bound: str, place: Path, *more: str) -> tuple[str, ...]:
    (spec,) = (place / "runs").glob("*/spec.json")
    return ("gate", spec.parent.name, "--policy", f"{bound}.yaml", *more)


def _text(index: Path) -> None:
    index.write_text("no database at all")


def _empty(index: Path) -> None:
    index.write_bytes(b"")


def _cut(index: Path) -> None:
    os.truncate(index, index.stat().st_size // 3)


def _overwritten(index: Path) -> None:
    content = bytearray(index.read_bytes())
    content[4096:40000] = random.Random(1).randbytes(40000 - 4096)
    index.write_bytes(content)


def _without_a_table(index: Path) -> None:
    with sqlite3.connect(index) as connection:
        connection.execute("DROP TABLE estimates")
    connection.close()


def _of_something_else(index: Path) -> None:
    index.unlink()
    with sqlite3.connect(index) as connection:
        connection.execute("CREATE TABLE runs (a, b)")
    connection.close()


def _with_a_version_that_is_none(index: Path) -> None:
    with sqlite3.connect(index) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute("DROP TABLE schema_versions")
        connection.execute("CREATE TABLE schema_versions (number, name)")
        connection.execute("INSERT INTO schema_versions VALUES ('many', 'x')")
    connection.close()


def _folder(index: Path) -> None:
    index.unlink()
    index.mkdir()


def _pipe(index: Path) -> None:
    index.unlink()
    os.mkfifo(index)


def _full_device(index: Path) -> None:
    index.unlink()
    index.symlink_to("/dev/full")


def _lock_is_a_folder(index: Path) -> None:
    index.with_name(f"{index.name}.lock").unlink(missing_ok=True)
    index.with_name(f"{index.name}.lock").mkdir()


REBUILT = (_text, _empty, _cut, _overwritten, _without_a_table)
NOT_OURS = (_of_something_else, _with_a_version_that_is_none, _folder, _pipe, _full_device, _lock_is_a_folder)


@pytest.mark.parametrize(
    ("damage", "bound"),
    [
        (damage, bound)
        for number, damage in enumerate((*REBUILT, *NOT_OURS))
        for position, bound in enumerate(OUTCOMES)
        if ALL or number % len(OUTCOMES) == position
    ],
)
def test_whatever_the_index_holds_the_gate_says_what_the_data_say(place, harness_here, damage, bound):
    fill(locate(None, place / "runs"), place / "runs")
    damage(place / "runs" / "index.sqlite")
    ended = harness_here(*gate(bound, place))
    assert ended.returncode == OUTCOMES[bound], ended.stderr
    assert "Traceback" not in ended.stderr
    if damage in REBUILT:
        with Store(locate(None, place / "runs")) as store, store.reading() as connection:
            (row,) = connection.execute(indexed_runs.select())
        assert row.status == "verified"
    else:
        assert "the run is kept, but the store lacks it" in ended.stderr


@pytest.mark.parametrize("damage", REBUILT)
def test_a_damaged_index_is_put_aside_and_built_anew(place, harness_here, damage):
    index = place / "runs" / "index.sqlite"
    assert harness_here("index").returncode == 0
    damage(index)
    ended = harness_here("index")
    assert ended.returncode == 0, ended.stderr
    assert "1 run verified and indexed" in ended.stdout
    if damage is not _empty:
        assert "is built anew" in ended.stderr
        assert index.with_name("index.sqlite.damaged").exists()


def test_a_text_of_the_users_is_never_taken_for_a_damaged_index(place, harness_here):
    (place / "notes.txt").write_text("mine")
    ended = harness_here("index", "--store", "notes.txt")
    assert ended.returncode == 2
    assert "notes.txt: is not a SQLite file" in ended.stderr
    assert (place / "notes.txt").read_text() == "mine"


def forked(place: Path, command: tuple[str, ...], output: str | None, error: str | None = "err.txt") -> tuple[int, str]:
    """Run a command in a copy of this process, with its streams at these files; None is closed."""
    child = os.fork()
    if not child:
        code = 99
        try:
            os.chdir(place)
            for number, name, path in ((2, "stderr", error), (1, "stdout", output)):
                if path is None:
                    os.close(number)
                else:
                    os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
                setattr(sys, name, None if path is None else os.fdopen(number, "w", closefd=False))
            sys.argv = ["harness", *command]
            commands.main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 98
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), (place / "err.txt").read_text() if error == "err.txt" else ""


@pytest.mark.parametrize("more", [(), ("--json",), ("--markdown",)], ids=["table", "json", "markdown"])
@pytest.mark.parametrize("output", ["/dev/full", None], ids=["full", "closed"])
def test_output_that_can_not_be_written_is_one_line_and_an_error(place, output, more):
    code, said = forked(place, gate("0.9", place, *more), output)
    assert code == 2
    assert said.startswith("harness: standard output: can't be written (")
    assert said.count("\n") == 1
    assert list((place / "runs").glob("*/gates/*.json"))


@pytest.mark.parametrize("error", ["/dev/full", None], ids=["full", "closed"])
@pytest.mark.parametrize("bound", OUTCOMES)
def test_a_standard_error_that_can_not_be_written_changes_nothing(place, bound, error):
    (place / "runs" / "index.sqlite").mkdir()  # so that there is something to say
    assert forked(place, gate(bound, place), "out.txt", error) == (OUTCOMES[bound], "")
    assert (place / "out.txt").read_text()


@pytest.mark.parametrize(("bound", "more"), [("0.2", ()), ("0.9", ("--json",)), ("0.5", ("--markdown",))])
def test_a_reader_that_has_seen_enough_does_not_change_the_verdict(place, bound, more):
    """`harness gate … | head -1` under `set -o pipefail`."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        code, said = forked(place, gate(bound, place, *more), f"/dev/fd/{writer}")
    finally:
        os.close(writer)
    assert (code, said) == (OUTCOMES[bound], "")


def every_command() -> list[tuple[str, ...]]:
    """The name of each command, with that of its group."""

    def below(command: Any, path: tuple[str, ...]) -> list[tuple[str, ...]]:
        inner = getattr(command, "commands", {})
        return [one for name in sorted(inner) for one in below(inner[name], (*path, name))] if inner else [path]

    return below(typer.main.get_command(app), ())


class Panic(BaseException):
    """As libraries that are written in Rust raise it."""


UNFORESEEN = (
    ZeroDivisionError("division by zero"),
    KeyError("a" * 5000),
    RecursionError(),
    MemoryError(),
    OSError(32, "Broken pipe"),
    UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
    ValueError("two\nlines \x1b[31m and a terminal's command"),
    Panic("Onig"),
    SystemExit(1),
    SystemExit("a text"),
    typer.Abort(),
)


@pytest.mark.parametrize("command", every_command(), ids=" ".join)
def test_what_nobody_foresaw_is_one_line_with_a_log_and_exit_code_2(command, harness_here, tmp_path, monkeypatch):
    """Every command, every kind of exception: thrown where the command's own code begins."""
    tree = leaf = typer.main.get_command(app)
    for name in command:
        leaf = leaf.commands[name]  # type: ignore[attr-defined]
    monkeypatch.setattr(commands, "app", tree)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for error in UNFORESEEN:

        def raises(_error: BaseException = error, **_: object) -> None:
            raise _error

        leaf.params, leaf.callback = [], raises
        ended = harness_here(*command)
        assert ended.returncode == 2, (error, ended.stderr)
        assert "Traceback" not in ended.stderr
        if not isinstance(error, SystemExit | typer.Abort):
            assert ended.stderr.startswith("harness: an unexpected error (")
            assert ended.stderr.count("\n") == 1
            (log,) = tmp_path.glob("harness-*.log")
            assert str(log) in ended.stderr
            assert "Traceback" in log.read_text()
            assert log.stat().st_mode & 0o077 == 0
            log.unlink()


def test_without_room_for_the_log_the_line_comes_all_the_same(harness_here, monkeypatch, tmp_path):
    tree = typer.main.get_command(app)

    def raises(**_: object) -> None:
        raise ZeroDivisionError

    tree.commands["runs"].callback = raises  # type: ignore[attr-defined]
    monkeypatch.setattr(commands, "app", tree)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    ended = harness_here("runs")
    assert ended.returncode == 2
    assert "No log could be written" in ended.stderr


LONG, ODD = "x" * 5000, "\udcff\x1b[2J"
VALUES = (
    "",
    "-",
    LONG,
    ODD,
    "..",
    "/",
    "/dev/null",
    "/dev/full",
    "/proc/self/mem",
    "runs",
    "gone/file",
    "NaN",
    "-1",
    "0",
)
VALUES += ("999999999999999999999", "text.bin", "text.json", "link", "damaged", "sound", "a:b", "openai:", "[bold")
NEVER = {("leaderboard",): ("--port", "none")}
"""What keeps a command from doing what it is for: a server never ends."""


@pytest.fixture
def odd_place(place: Path) -> Path:
    """Beside the sound run: one that is damaged, and files of every odd kind."""
    (spec,) = (place / "runs").glob("*/spec.json")
    (place / "sound").symlink_to(spec.parent)
    shutil.copytree(spec.parent, place / "damaged")
    for path in (place / "damaged").iterdir():
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    (place / "text.bin").write_bytes(random.Random(1).randbytes(1000))
    (place / "text.json").write_text('{"type": 1, "type": [[[]]]}')
    (place / "link").symlink_to("link")
    return place


@pytest.mark.parametrize("command", every_command(), ids=" ".join)
def test_no_argument_of_any_command_ends_it_in_a_traceback(command, odd_place, harness_here, monkeypatch):
    leaf = typer.main.get_command(app)
    for name in command:
        leaf = leaf.commands[name]  # type: ignore[attr-defined]
    monkeypatch.setattr("tempfile.tempdir", str(odd_place))
    for number in range(100 if ALL else 2):
        drawn = random.Random(f"{command}{number}")
        arguments = [*command, *NEVER.get(command, ())]
        for one in leaf.params:
            option = [] if one.param_type_name == "argument" else [drawn.choice(one.opts)]
            if not option or drawn.random() < 0.3:
                arguments += [*option, *([] if getattr(one, "is_flag", False) else [drawn.choice(VALUES)])]
        ended = harness_here(*arguments, HF_HUB_OFFLINE="1")
        assert ended.returncode in (0, 2, 3), (arguments, ended.stderr)
        assert ended.returncode == 0 or ended.stderr, arguments
        assert "Traceback" not in ended.stderr
        assert "nobody foresaw" not in ended.stderr, (arguments, ended.stderr)
