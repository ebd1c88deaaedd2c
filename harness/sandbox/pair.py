"""The two processes of one program: the candidate, which a model wrote, and the judge, which calls it."""

import json
import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from harness.core.errors import SandboxError
from harness.sandbox.enclosures import ENCLOSURES, python_inside

__all__ = ["Pair", "begun"]

MAX_SAID_BYTES = 1 << 16
_ENDING_S = 2.0
"""What a process may take to end whose pipes are closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two running processes, and the pipe that the judge's verdict will come from."""

    candidate: "subprocess.Popen[bytes]"
    judge: "subprocess.Popen[bytes]"
    verdicts: int

    def verdict(self, deadline: float) -> Mapping[str, Any] | None:
        """What the judge says; empty where it ended without a word, None where it says nothing until `deadline`.

        The deadline is a time of the monotonic clock, in seconds.
        """
        said = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self.verdicts, selectors.EVENT_READ)
            while not said.endswith(b"\n"):
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    return None
                more = os.read(self.verdicts, MAX_SAID_BYTES)
                if not more or len(said) > MAX_SAID_BYTES:
                    return {}
                said += more
        found: Mapping[str, Any] = json.loads(said)
        return found

    def complaint(self) -> str:
        """What was said where the judge could not be set up; empty where it was."""
        exit_code(self.judge)
        said = self.judge.stderr.read(MAX_SAID_BYTES) if self.judge.stderr else b""
        lines = [line.strip() for line in said.decode(errors="replace").splitlines() if line.strip()]
        return lines[-1] if lines else ""


def exit_code(process: "subprocess.Popen[bytes]") -> int | None:
    """How a process ended; above 128, by a signal. None for one that goes on though its pipes are closed."""
    try:
        return process.wait(_ENDING_S)
    except subprocess.TimeoutExpired:
        return None


@contextmanager
def begun(enclosure: str, job: bytes, *, limits: Mapping[str, int], scratch_bytes: int) -> Iterator[Pair]:
    """Both processes, started and enclosed; whatever is left of them at the end of the block is killed.

    The judge alone gets `job`, one line. Raises `SandboxError` where they can't be started.
    """
    with ExitStack() as ours:
        with ExitStack() as theirs:
            file = theirs.enter_context(tempfile.TemporaryFile())
            file.write(job)
            file.seek(0)
            calls, answers, verdicts = _pipe(theirs, theirs), _pipe(theirs, theirs), _pipe(ours, theirs)
            started = []
            for part, files in (
                ("candidate", (calls[0], answers[1])),
                ("judge", (file.fileno(), verdicts[1], answers[0], calls[1])),
            ):
                inner = python_inside(json.dumps(dict(limits)), part, *map(str, files))
                started.append(_started(enclosure, inner, files, scratch_bytes))
                ours.callback(_end, started[-1])
        yield Pair(candidate=started[0], judge=started[1], verdicts=verdicts[0])


def _pipe(reader: ExitStack, writer: ExitStack) -> tuple[int, int]:
    ends = os.pipe()
    reader.callback(os.close, ends[0])
    writer.callback(os.close, ends[1])
    return ends


def _started(
    enclosure: str, inner: Sequence[str], files: Sequence[int], scratch_bytes: int
) -> "subprocess.Popen[bytes]":
    command = ENCLOSURES[enclosure](inner, scratch_bytes)
    if command is None:
        raise SandboxError("is not installed", place=enclosure)
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,  # each closes it as soon as it is set up
            env={},
            pass_fds=files,
            start_new_session=True,
        )
    except OSError as error:
        raise SandboxError(f"can't be started ({error.strerror or error})", place=enclosure) from error


def _end(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stderr:
        process.stderr.close()
