"""Tries what a checkpoint's files would have the process do, in another process with little memory and time.

A tokenizer or a chat template is a program in all but name: a pattern that takes years, or a text that grows without
end, costs its author a line. Its trial here ends in one error; in this process it would end the evaluation.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from harness.checkpoints.loading import trial
from harness.core.errors import CheckpointError
from harness.core.text.hashing import file_digest

__all__ = ["CPU_S", "try_out", "try_tokenizer"]

MEMORY_BYTES = 2 * 10**9
CPU_S = 5
"""Sound ones take a third of a second; a machine that busy neighbours stop for a while counts that as well."""
CPU_S_PER_MB = 0.25
"""Building a sound tokenizer takes about a tenth of that for each megabyte of its file."""
WAITED = 20
"""Times as long by the clock as on the processor, for a machine that is busy."""
KILLED = "was being tried when the system ended its process, most often because memory is short"
FIX = "Download this file from the checkpoint's publisher again, or choose another checkpoint"


_sound: set[str] = set()
"""SHA-256 of each tokenizer.json that this process has tried: checkpoints of one training share theirs."""


def try_tokenizer(path: Path) -> None:
    """Refuse a tokenizer.json that can't be built, or that takes too long or too much memory for texts of some kind.

    A text that was not tried may still take long. Raises `CheckpointError`. A sound file is tried once a process,
    wherever copies of it lie.
    """
    sha256 = file_digest(path)
    if sha256 not in _sound:
        try_out({"tokenizer": str(path)}, path, CPU_S + int(CPU_S_PER_MB * path.stat().st_size / 1e6), FIX)
        _sound.add(sha256)


def try_out(job: dict[str, Any], path: Path, cpu_s: int, fix: str) -> None:
    """Run a trial; raises `CheckpointError` for whatever it finds wrong."""
    try:
        done = subprocess.run(
            # Without the folder that the user is in: a module of that name there must not be imported.
            [sys.executable, "-P", str(trial.__file__)],
            input=json.dumps({**job, "memory_bytes": MEMORY_BYTES, "cpu_s": cpu_s}),
            capture_output=True,
            text=True,
            timeout=WAITED * cpu_s,
            check=False,
            env={**os.environ, "TOKENIZERS_PARALLELISM": "false", "MALLOC_ARENA_MAX": "1"},
        )
    except subprocess.TimeoutExpired as error:
        raise CheckpointError(
            f"takes more than {WAITED * cpu_s} seconds for short texts", place=path, fix=fix
        ) from error
    told = _told(done, cpu_s)
    if told is not None:
        raise CheckpointError(told, place=path, fix=fix)


def _told(done: "subprocess.CompletedProcess[str]", cpu_s: int) -> str | None:
    if not done.returncode:
        told: str | None = json.loads(done.stdout)
        return told
    if -done.returncode == signal.SIGXCPU:
        return f"takes more than {cpu_s} seconds for short texts"
    if -done.returncode == signal.SIGKILL:
        return KILLED
    if "memory allocation" in done.stderr:
        return f"takes more than {MEMORY_BYTES / 1e9:.0f} GB of memory for short texts"
    last = next(reversed(done.stderr.splitlines()), "no reason given")
    return f"ends the process that reads it ({last[:200]})"
