"""Runs Python in forks of a process that has the large libraries in memory, which spares each run those seconds.

A fork begins by forgetting what was imported of this project, so that the rest is as in an interpreter of its own.
There is one such process for all tests of a worker, those with faults among them, since Python keeps no second one.
"""

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = str(Path(__file__).parents[1])
OWN = {"harness", "leaderboard", "probes", "suites"}

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(
    [
        *("torch", "transformers.models.llama.modeling_llama", "peft", "pandas", "pyarrow.parquet", "scipy.stats"),
        *("sqlalchemy", "alembic.context", "altair", "rich.console", "typer.rich_utils", "pydantic"),
        "tests.faults.child",
    ]
)


def started(target: Callable[..., object], arguments: tuple[object, ...]) -> Any:
    """A process at work on it, forked; that which forks begins with the first call, and has to find this project."""
    process = _forks.Process(target=target, args=arguments)
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (ROOT, before)))
    try:
        process.start()
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
    return process


@dataclass(frozen=True)
class Begun:
    """Python at work in a fork; `told` are the files of its standard output and standard error."""

    words: list[str]
    process: Any
    told: list[Path]

    def end(self, timeout_s: float | None = None) -> subprocess.CompletedProcess[str]:
        """Wait until it has ended."""
        self.process.join(timeout_s)
        assert self.process.exitcode is not None, "it hangs"
        return subprocess.CompletedProcess(
            self.words, self.process.exitcode, *(one.read_text("utf-8") for one in self.told)
        )


@contextmanager
def begun(*arguments: object, cwd: Path, path: tuple[Path, ...] = (), **environment: str) -> Iterator[Begun]:
    """The same as `python`, while it is at work; it is killed where it hasn't ended with the block."""
    words = [str(word) for word in arguments]
    found_first = os.pathsep.join(filter(None, [*map(str, path), os.environ.get("PYTHONPATH")]))
    with tempfile.TemporaryDirectory() as folder:
        if words[0] == "-c":
            Path(folder, "script.py").write_text(words[1], "utf-8")
            words[:2] = [str(Path(folder, "script.py"))]
        told = [Path(folder) / name for name in ("stdout", "stderr")]
        known = {**os.environ, "PYTHONPATH": found_first, **environment}
        process = started(_run, (words, str(cwd), [str(one) for one in path], known, told))
        try:
            yield Begun(words, process, told)
        finally:
            process.kill()
            process.join()


def python(
    *arguments: object, cwd: Path, path: tuple[Path, ...] = (), **environment: str
) -> subprocess.CompletedProcess[str]:
    """`python -m MODULE …`, `-c CODE …` or `SCRIPT …` in the folder `cwd`; Python looks into those of `path` first."""
    with begun(*arguments, cwd=cwd, path=path, **environment) as at_work:
        return at_work.end()


def _run(words: list[str], cwd: str, path: list[str], environment: dict[str, str], told: list[Path]) -> None:
    for number, file in enumerate(told, start=1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None  # found out anew, by that environment
    for name in [name for name in sys.modules if name.partition(".")[0] in OWN]:
        del sys.modules[name]
    if words[0] == "-m":
        sys.argv = words[1:]
        sys.path[:0] = [cwd, *path]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = words
        sys.path[:0] = [str(Path(words[0]).resolve().parent), *path]
        runpy.run_path(words[0], run_name="__main__")
