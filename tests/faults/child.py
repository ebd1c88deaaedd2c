"""The command line in a process forked from a warm parent, with a fault built in: milliseconds instead of seconds.

`multiprocessing`'s fork server imports this module once; every child then begins with torch and transformers loaded.
"""

import gc
import hashlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import psutil
import torch

from harness.cli import main
from harness.record import RunWriter
from harness.record.journal import Journal
from harness.run import metering

__all__ = ["Fault", "enter"]

for _name in (
    "harness.engine.opening",
    "harness.engine.kinds.causal",
    "harness.run.pipeline",
    "probes.energy.codecarbon",
    "suites.presets",
    "transformers.models.llama.modeling_llama",
):
    import_module(_name)  # what the command would import late, so that the fork server has it
# Else each fork that loads weights compiles 900 regular expressions.
import_module("transformers.conversion_mapping").get_checkpoint_conversion_mapping("llama")
gc.freeze()  # else the collector of each fork copies all of the fork server's pages

Fault = tuple[str, Any]
"""A function of this module by its name, and its argument."""


def enter(arguments: list[str], folder: Path, faults: list[Fault], paths: list[str]) -> None:
    """Run `harness` with these arguments; what it prints goes to `out.txt` and `err.txt` of the folder."""
    os.setsid()
    os.chdir(folder)
    for descriptor, name in ((1, "out.txt"), (2, "err.txt")):
        target = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(target, descriptor)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    torch.set_num_threads(1)
    metering._IDLE_S = 0.2
    sys.path[:0] = paths
    for name, argument in faults:
        FAULTS[name](argument)
    sys.argv = ["harness", *arguments]
    main()


def kill_at(step: int) -> None:
    """SIGKILL just before (odd steps) or just after (even ones) the step-th change on the disk: sync, rename, cut."""
    count = 0

    def around(name: str) -> None:
        real = getattr(os, name)

        def replaced(*arguments: Any, **options: Any) -> Any:
            nonlocal count
            for after in (False, True):
                count += 1
                if after:
                    result = real(*arguments, **options)
                if count == step:
                    os.kill(os.getpid(), signal.SIGKILL)
            return result

        setattr(os, name, replaced)

    for name in ("fsync", "replace", "ftruncate"):
        around(name)


def count_steps(path: str) -> None:
    """Write down after each how many steps of `kill_at` there were."""
    kill_at(-1)
    for name in ("fsync", "replace", "ftruncate"):
        real = getattr(os, name)

        def counted(*arguments: Any, _real: Callable[..., Any] = real, **options: Any) -> Any:
            result = _real(*arguments, **options)
            with open(path, "a") as stream:  # noqa: PTH123 - must not be one of the steps
                stream.write("ab")
            return result

        setattr(os, name, counted)


def acknowledge(path: str) -> None:
    """Write down the id of each response that `RunWriter.append` has returned for: the run counts on these."""
    real = RunWriter.append
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def append(self: RunWriter, responses: Any) -> None:
        real(self, responses)
        os.write(descriptor, "".join(f"{one.request_id}\n" for one in responses).encode())

    RunWriter.append = append  # type: ignore[method-assign]


def no_memory(most: Mapping[str, int]) -> None:
    """From the `after`-th forward pass on, more than `tokens` tokens are more than the machine can hold."""
    real = torch.nn.Module.__call__
    count = 0

    def call(self: Any, *arguments: Any, **options: Any) -> Any:
        nonlocal count
        ids = options.get("input_ids")
        if type(self).__name__.endswith("Model") and ids is not None:
            count += 1
            if count > most["after"] and ids.numel() > most["tokens"]:
                raise RuntimeError(f"DefaultCPUAllocator: can't allocate memory: you tried to allocate {ids.numel()}")
        return real(self, *arguments, **options)

    torch.nn.Module.__call__ = call  # type: ignore[method-assign]


def slow(seconds: float) -> None:
    """Each write to the journal takes so much longer, so that a signal finds the run at work."""
    real = Journal.append

    def append(self: Journal, entries: Any) -> Any:
        kept = real(self, entries)
        time.sleep(seconds)
        return kept

    Journal.append = append  # type: ignore[method-assign]


def stuck(rounds: int) -> None:
    """After the second batch comes one long call into native code, which heeds no signal."""
    real = Journal.append
    calls = 0

    def append(self: Journal, entries: Any) -> Any:
        nonlocal calls
        kept = real(self, entries)
        calls += 1
        if calls == 2:
            Path("stuck").touch()
            hashlib.pbkdf2_hmac("sha256", b"", b"", rounds)
        return kept

    Journal.append = append  # type: ignore[method-assign]


def jumping_clock(hours: float) -> None:
    """The wall clock jumps to and fro; the monotonic one, being what it is, doesn't."""
    real, calls = time.time, 0

    def jumped() -> float:
        nonlocal calls
        calls += 1
        return real() + 3600 * hours * (-1) ** calls

    time.time = jumped


def edit_while_running(path: str) -> None:
    """Turn one bit of a file of the checkpoint around once the first answers are there."""
    real = Journal.append
    done = False

    def append(self: Journal, entries: Any) -> Any:
        nonlocal done
        kept = real(self, entries)
        if not done:
            done = True
            with open(path, "r+b") as stream:  # noqa: PTH123
                stream.seek(-2, os.SEEK_END)
                byte = stream.read(1)
                stream.seek(-2, os.SEEK_END)
                stream.write(bytes([byte[0] ^ 1]))
        return kept

    Journal.append = append  # type: ignore[method-assign]


def kill_typesetter(_: None) -> None:
    """The process that sets a report's pages is killed as soon as there is one."""

    def watch() -> None:
        while True:
            for child in psutil.Process().children():
                with suppress(psutil.Error):
                    if "harness.report.typeset" in child.cmdline():
                        child.kill()
            time.sleep(0.01)

    threading.Thread(target=watch, daemon=True).start()


def small_files(size_bytes: int) -> None:
    """The system lets no file grow beyond this size."""
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, size_bytes))


FAULTS: Mapping[str, Callable[[Any], None]] = {
    one.__name__: one
    for one in (
        acknowledge,
        count_steps,
        edit_while_running,
        jumping_clock,
        kill_at,
        kill_typesetter,
        no_memory,
        slow,
        small_files,
        stuck,
    )
}
