"""Runs a program that a model wrote, and its tests, where it can do no harm and can't say itself that it passed."""

import json
import re
import signal
import time
from dataclasses import dataclass
from enum import StrEnum
from subprocess import Popen

from harness.core.errors import SandboxError
from harness.sandbox.inside.values import MAX_BYTES
from harness.sandbox.pair import Pair, begun, exit_code

__all__ = ["Ending", "Limits", "Outcome", "Program", "run_enclosed"]


_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}")
"""It is another one each time, and what is told of a program should not be."""


class Ending(StrEnum):
    """How a program ended, by its tests."""

    PASSED = "passed"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    OUT_OF_MEMORY = "out of memory"
    KILLED = "killed"
    REFUSED = "refused"
    """It was not run, since no file could hold it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a program may take, and so much again its tests, which run in a process of their own.

    The time on the processor is what decides, so that a busy machine changes no score; `wall_s`, which begins with
    its interpreter, ends what sleeps.
    """

    cpu_s: int = 3
    wall_s: float = 15.0
    memory_bytes: int = 512 << 20
    scratch_bytes: int = 16 << 20
    open_files: int = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What a model wrote, and what it is tried with.

    `source` is the whole program, `entry_point` the function of it that `tests` call by this name. `given` are
    definitions of the question's own that tests may use, whatever the program makes of their names. Tests get plain
    values alone, and see neither what a function prints nor what it does to its arguments.
    """

    source: str
    entry_point: str
    tests: str
    given: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How it ended, what is to be said of it (empty where it passed), and the seconds that it took."""

    ending: Ending
    detail: str = ""
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether all tests held."""
        return self.ending is Ending.PASSED


def run_enclosed(enclosure: str, program: Program, limits: Limits) -> Outcome:
    """What comes of a program in this enclosure. Raises `SandboxError` where it can't be set up."""
    try:
        for text in (program.source, program.entry_point):
            text.encode()
    except UnicodeEncodeError:
        return Outcome(ending=Ending.REFUSED, detail="it holds half a character")
    job = {
        "program": program.source,
        "entry_point": program.entry_point,
        "tests": program.tests,
        "given": program.given,
    }
    line = json.dumps(job).encode() + b"\n"
    if len(line) > MAX_BYTES:
        return Outcome(ending=Ending.REFUSED, detail=f"it takes more than {MAX_BYTES:,} bytes")
    bounds = {
        "cpu_s": limits.cpu_s,
        "memory_bytes": limits.memory_bytes,
        "file_bytes": limits.scratch_bytes,
        "open_files": limits.open_files,
    }
    began = time.monotonic()
    with begun(enclosure, line, limits=bounds, scratch_bytes=limits.scratch_bytes) as pair:
        ending, detail = _judged(enclosure, pair, limits, began)
        return Outcome(ending=ending, detail=detail, seconds=time.monotonic() - began)


def _judged(enclosure: str, pair: Pair, limits: Limits, began: float) -> tuple[Ending, str]:
    said = pair.verdict(began + limits.wall_s)
    if said is None:
        return Ending.TIMED_OUT, f"it takes more than {limits.wall_s:g} s"
    if said == {"passed": True}:
        return Ending.PASSED, ""
    if not said or "never_began" in said:
        if (complaint := pair.complaint()) or "never_began" in said:
            raise SandboxError(f"can't be set up ({complaint or 'it ended at once'})", place=enclosure)
        return _ended(pair.judge, limits, began, whose="that of its tests")
    if "ended" in said:
        return _ended(pair.candidate, limits, began, whose="its process")
    error = str(said.get("error"))
    told = _ADDRESS.sub("0x...", ": ".join(filter(None, (error, str(said.get("message", ""))))))
    return Ending.OUT_OF_MEMORY if error == "MemoryError" else Ending.FAILED, told


def _ended(process: "Popen[bytes]", limits: Limits, began: float, *, whose: str) -> tuple[Ending, str]:
    """Of a process that gave no answer. Nothing can be on the processor for longer than it has been there."""
    lasted_s = time.monotonic() - began
    code = exit_code(process)
    if code is None:
        return Ending.FAILED, f"{whose} answers no more"
    if code in (128 + signal.SIGKILL, 128 + signal.SIGXCPU) and lasted_s >= limits.cpu_s:
        return Ending.TIMED_OUT, f"{whose} takes more than {limits.cpu_s} s on the processor"
    if code > 128:
        return Ending.KILLED, f"{whose} died of signal {code - 128}"
    return Ending.FAILED, f"{whose} ended before it answered (exit code {code})"
