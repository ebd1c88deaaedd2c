"""A corpus of hostile programs: none gets out, and none is scored as right."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.sandbox import Ending, Limits, Program, run_program
from tests.sandbox.hostile import DEEDS, FORGERIES

LIMITS = Limits(cpu_s=1, wall_s=10, memory_bytes=256 << 20)
TESTS = """
def check(candidate):
    for x, y in zip(range(5), map(candidate, range(5))):
        assert y == 3 * x + 1 and abs(y - 3 * x - 1) < 1e-6
    assert [candidate(x) for x in range(3)] == [1, 4, 7]
check(f)
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, object]]:
    """What there is to reach: a server, a secret, a process that hears signals, a folder to write in."""
    heard: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: heard.append(number))
    (tmp_path / "secret").write_text("secret")
    tmp_path.chmod(0o777)
    monkeypatch.setenv("HARNESS_SECRET", "secret")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        yield {
            "port": server.getsockname()[1],
            "secret": str(tmp_path / "secret"),
            "home": str(Path.home()),
            "outside": str(tmp_path / "made"),
            "pid": os.getpid(),
        }
        with pytest.raises(BlockingIOError):
            server.accept()
    signal.signal(signal.SIGUSR1, before)
    assert not heard
    assert {one.name for one in tmp_path.iterdir()} == {"secret"}


@pytest.mark.parametrize("name", DEEDS)
def test_no_deed_is_done(name: str, place: dict[str, object]) -> None:
    outcome = run_program(
        Program(source=DEEDS[name], entry_point="f", tests=f"assert f({place}) is True"), limits=LIMITS
    )
    assert not outcome.passed, outcome


@pytest.mark.parametrize("name", FORGERIES)
def test_no_verdict_is_forged(name: str) -> None:
    outcome = run_program(Program(source=FORGERIES[name], entry_point="f", tests=TESTS), limits=LIMITS)
    assert outcome.ending in set(Ending) - {Ending.PASSED, Ending.REFUSED}, outcome


@pytest.mark.parametrize("name", ["a program", "a pair of sockets", "reads it by a link"])
def test_without_a_sandbox_it_is_done(name: str, place: dict[str, object], tmp_path: Path) -> None:
    """So that what is refused above is refused by the sandbox."""
    script = f"{DEEDS[name]}\nassert f({place}) is True"
    subprocess.run([sys.executable, "-c", script], check=True, cwd=tmp_path)
    (tmp_path / "link").unlink(missing_ok=True)


def test_the_corpus_is_failed_for_what_it_does() -> None:
    """The same tests pass a program that is right, so that none of the above fails by the tests' own fault."""
    right = Program(source="def f(x):\n return 3 * x + 1", entry_point="f", tests=TESTS)
    assert run_program(right, limits=LIMITS).ending is Ending.PASSED
    here = Program(source="def f(place):\n return True", entry_point="f", tests="assert f({'port': 1}) is True")
    assert run_program(here, limits=LIMITS).ending is Ending.PASSED
