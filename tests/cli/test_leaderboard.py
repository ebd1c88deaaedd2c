"""`harness leaderboard` before its server takes over: what it's given is checked."""

import os
import socket
import sys

import pytest

from harness.cli import main
from tests.store.records import make_record


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Run the command; the exit code, what it complains of, and what it would have started."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HARNESS_STORE", raising=False)
    started = []
    monkeypatch.setattr(os, "execve", lambda _program, arguments, environment: started.append((arguments, environment)))

    def command(*arguments):
        monkeypatch.setattr(sys, "argv", ["harness", "leaderboard", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code or 0, capsys.readouterr().err, started

    return command


@pytest.fixture
def port():
    """One that is free."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_the_server_gets_port_address_records_and_store(run, port, tmp_path):
    record = make_record(tmp_path / "kept", n=4)
    code, _, started = run(
        *("--records", "kept", "--store", "index.sqlite", "--port", port, "--address", "localhost"),
    )
    ((arguments, environment),) = started
    assert code == 0
    assert arguments[arguments.index("--server.port") + 1] == str(port)
    assert arguments[arguments.index("--server.address") + 1] == "localhost"
    assert environment["HARNESS_RECORDS"] == str(record.folder.parent)
    assert environment["HARNESS_STORE"] == "index.sqlite"
    assert (tmp_path / "index.sqlite").exists()


def test_it_listens_on_this_machine_alone_unless_told_otherwise(run, port):
    _, _, started = run("--port", port)
    ((arguments, _),) = started
    assert arguments[arguments.index("--server.address") + 1] == "127.0.0.1"
    assert arguments[arguments.index("--browser.gatherUsageStats") + 1] == "false"


def test_the_guard_is_told_the_address_and_the_names(run, port):
    _, _, started = run("--port", port, "--host", "board.example", "--host", "10.0.0.1")
    ((_, environment),) = started
    assert environment["HARNESS_ADDRESS"] == "127.0.0.1"
    assert environment["HARNESS_HOSTS"] == "board.example,10.0.0.1"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--records", "nowhere"], "nowhere"),
        (["--store", "nowhere.sqlite"], "nowhere.sqlite"),
        (["--store", "mysql://host/runs"], "mysql"),
        (["--store", "postgresql://nobody@127.0.0.1:1/runs"], "postgresql"),
        (["--address", "256.1.1.1"], "256.1.1.1"),
        (["--port", "70000"], "--port"),
        (["--host", "http://board.example/"], "--host"),
        (["--host", "a,b"], "--host"),
        (["--host", "*"], "--host"),
        (["--port", "web"], "--port"),
    ],
)
def test_bad_input_is_one_error(run, port, arguments, named):
    given = arguments if "--port" in arguments else [*arguments, "--port", port]
    code, said, started = run(*given)
    assert (code, started) == (2, [])
    assert named in said
    assert "Traceback" not in said


def test_a_port_that_is_taken_is_said(run):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, said, started = run("--port", taken.getsockname()[1])
    assert (code, started) == (2, [])
    assert "--port" in said


def test_a_password_in_a_store_that_cant_be_reached_is_not_shown(run, port):
    _, said, _ = run("--store", "postgresql://me:hidden1234@127.0.0.1:1/runs", "--port", port)
    assert "hidden1234" not in said


def test_an_export_needs_no_server_and_says_where_it_is(run, monkeypatch, tmp_path, capsys):
    make_record(tmp_path / "runs", n=4)
    code, complaint, started = run("--export", "board")
    assert (code, complaint, started) == (0, "", [])
    assert (tmp_path / "board" / "index.html").is_file()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--export", "board", "--records", "none"), "none: is not a folder"),
        (("--export", "board", "--records", "empty"), "empty: holds no finished run"),
        (("--export", "foreign", "--records", "runs"), "foreign: holds what no export wrote: mine.txt"),
        (("--export", "board", "--records", "torn"), "can be trusted"),
        (("--no-samples",), "--no-samples"),
    ],
)
def test_what_cant_be_exported_is_said_in_one_line(run, tmp_path, arguments, complaint):
    make_record(tmp_path / "runs", n=4)
    torn = make_record(tmp_path / "torn", n=4)
    (torn.folder / "spec.json").write_text("{")
    (tmp_path / "empty").mkdir()
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "mine.txt").write_text("")
    code, said, _ = run(*arguments)
    assert code == 2
    assert complaint in said
    assert len(said.strip().splitlines()) == 1
    assert not (tmp_path / "board").exists()
