"""What becomes of programs that mean no harm, and where there is no sandbox for them."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.core.errors import SandboxError
from harness.sandbox import Ending, Limits, Program, find_sandbox, run_program
from harness.sandbox.enclosures import ENCLOSURES
from harness.sandbox.programs import run_enclosed

LIMITS = Limits(cpu_s=1, wall_s=10, memory_bytes=256 << 20)


@pytest.mark.parametrize(
    ("source", "verdict", "detail"),
    [
        ("def f(x):\n return x + 1", Ending.PASSED, ""),
        ("import math, re, collections, itertools\ndef f(x):\n return math.floor(x + 1.5)", Ending.PASSED, ""),
        ("print('hello')\ndef f(x):\n open('note', 'w').write('kept')\n return x + 1", Ending.PASSED, ""),
        ("def f(x):\n return x", Ending.FAILED, "AssertionError"),
        ("def f(x):\n return x / 0", Ending.FAILED, "ZeroDivisionError: division by zero"),
        ("def f(x):\n import numpy", Ending.FAILED, "ModuleNotFoundError: No module named 'numpy'"),
        ("def f(x):\n while True: pass", Ending.TIMED_OUT, "its process takes more than 1 s on the processor"),
        ("def f(x):\n return 'a' * (1 << 33)", Ending.OUT_OF_MEMORY, "MemoryError"),
        ("import os\ndef f(x):\n os._exit(3)", Ending.FAILED, "its process ended before it answered (exit code 3)"),
        ("import ctypes\nctypes.string_at(0)", Ending.KILLED, "its process died of signal 11"),
        ("def g(x):\n return x", Ending.FAILED, "NameError: the program defines no f"),
        ("f = '\ud800'", Ending.REFUSED, "it holds half a character"),
        ("#" * (17 << 20), Ending.REFUSED, "it takes more than 16,777,216 bytes"),
    ],
)  # fmt: skip
def test_the_verdict(source: str, verdict: Ending, detail: str) -> None:
    outcome = run_program(Program(source=source, entry_point="f", tests="assert f(1) == 2"), limits=LIMITS)
    assert (outcome.ending, outcome.detail) == (verdict, detail)


def test_what_sleeps_is_ended() -> None:
    program = Program(source="import time\ndef f(x):\n time.sleep(60)", entry_point="f", tests="f(1)")
    outcome = run_program(program, limits=Limits(wall_s=1.5))
    assert (outcome.ending, outcome.detail) == (Ending.TIMED_OUT, "it takes more than 1.5 s")


def test_a_test_uses_definitions_of_the_question_and_not_the_programs() -> None:
    program = Program(
        source="def double(x):\n return x\ndef f(x):\n return double(x)",
        given="def double(x):\n return 2 * x\ndef f(x):\n pass",
        entry_point="f",
        tests="def check(candidate):\n assert candidate(double(2)) == f(4) == 4\ncheck(f)",
    )
    assert run_program(program, limits=LIMITS).passed


def test_a_program_does_the_same_each_time() -> None:
    """What chance, the order of a set and an object's address would change."""
    source = "import random\ndef f():\n return [random.random(), list({'a', 'b', 'c', 'd'}), str(object())]"
    program = Program(source=source, entry_point="f", tests="import random\nraise ValueError([f(), random.random()])")
    outcome = run_program(program, limits=LIMITS)
    assert outcome.detail.count("0.84442") == 2, "the first number after the seed 0"
    assert "<object object at 0x...>" in outcome.detail
    assert outcome.detail == run_program(program, limits=LIMITS).detail


def test_errors_are_those_of_python() -> None:
    tests = "try:\n f([])\nexcept IndexError:\n pass\nelse:\n assert False"
    assert run_program(Program(source="def f(x):\n return x[0]", entry_point="f", tests=tests), limits=LIMITS).passed


@pytest.mark.parametrize("name", ENCLOSURES)
def test_every_enclosure_that_is_here(name: str) -> None:
    if name == "bubblewrap" and not shutil.which("bwrap"):
        pytest.skip("bubblewrap is not installed")
    program = Program(
        source="import os\ndef f():\n return os.listdir('/')", entry_point="f", tests="assert 'proc' not in f()"
    )
    try:
        assert run_enclosed(name, program, LIMITS).passed
    except SandboxError as error:
        if find_sandbox()[0] == name:
            raise
        pytest.skip(str(error))


def test_a_machine_without_any(tmp_path: Path) -> None:
    """Inside namespaces that allow no more of them, as some containers are."""
    script = "from harness.sandbox import require_sandbox\nrequire_sandbox()"
    shell = 'echo 0 > /proc/sys/user/max_net_namespaces && exec "$0" -c "$1"'
    unshared = ["unshare", "--user", "--map-root-user", "sh", "-c", shell, sys.executable, script]
    if shutil.which("unshare") is None or subprocess.run([*unshared[:3], "true"], check=False).returncode:
        pytest.skip("no user namespaces to take namespaces away in")
    ended = subprocess.run(unshared, capture_output=True, text=True, check=False)
    assert "SandboxError" in ended.stderr
    assert "no sandbox can be set up for programs that a model writes, so none is run" in ended.stderr.splitlines()[-1]
