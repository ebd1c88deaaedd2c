"""A run that workers share, by the real command in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import psutil

from harness.record.journal import read_lines

__all__ = ["SharedRun", "descendants", "replicas"]

TASKS = ("piqa", "robustness_piqa", "real_toxicity")
"""Choices, choices in rounds that depend on the answers, and texts."""
LIMIT = 24
BATCH_TOKENS = 512
NAMES = ("spec.json", "scores.parquet", "responses.parquet", "estimates.json", "samples.merkle")


class SharedRun:
    """`harness eval` of a few tasks in the folder, begun at once; without `workers` by one process of one thread.

    Given the folder of a run whose process was killed, it goes on. `temporary` has its temporary files; what clusters
    have there must have short names.
    """

    def __init__(
        self,
        folder: Path,
        model: Path,
        temporary: Path,
        *,
        workers: int | None,
        options: tuple[str, ...] = (),
        said: str = "err.txt",
        limit: int = LIMIT,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self._temporary, self._err = folder, temporary, folder / said
        tasks = [word for task in TASKS for word in ("--task", task)]
        shared = () if workers is None else ("--workers", str(workers))
        words = ["eval", "--model", str(model), *tasks, "--limit", str(limit), "--batch-tokens", str(BATCH_TOKENS)]
        words += ["--threads", "1", "--offline", "--store", "none", "--output", str(folder / "runs"), *shared]
        words += [*([] if "--meter" in options else ["--meter", "none"]), *options]
        with self._err.open("w") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "harness", *words],
                stdout=subprocess.DEVNULL,
                stderr=err,
                env={**os.environ, "TMPDIR": str(temporary), "OMP_NUM_THREADS": "1"},
            )

    @property
    def is_at_work(self) -> bool:
        """Whether its process hasn't ended."""
        return self.process.poll() is None

    @property
    def record(self) -> Path:
        """The folder of the one run."""
        (found,) = (self.folder / "runs").glob("*/")
        return found

    def end(self, timeout_s: float = 600) -> None:
        """Wait until it has ended well."""
        assert self.process.wait(timeout_s) == 0, self.said()

    def said(self) -> str:
        """What it wrote to standard error."""
        return self._err.read_text()

    def journal(self) -> Path | None:
        """The journal, once there is one."""
        return next((self.folder / "runs").glob("*/journal.jsonl"), None)

    def answers(self) -> int:
        """Lines of the journal."""
        found = self.journal()
        return 0 if found is None else found.read_bytes().count(b"\n")

    def ids(self) -> set[str]:
        """The requests whose answers the journal holds."""
        found = self.journal()
        return set() if found is None else {str(entry["request_id"]) for entry, _ in read_lines(found)}

    def scores(self) -> dict[str, bytes]:
        """The files of a sealed run that any number of workers leaves the same."""
        return {name: (self.record / name).read_bytes() for name in NAMES}

    def folders(self) -> list[Path]:
        """Folders of Ray's clusters among its temporary files."""
        return list(self._temporary.glob("ray-*"))


def descendants(pid: int) -> list[psutil.Process]:
    """All processes that the process began, and theirs."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def replicas(pid: int) -> list[psutil.Process]:
    """Those among them that hold a copy of the model, by the names that Ray gives them."""
    found = []
    for process in descendants(pid):
        try:
            words = process.cmdline()
        except psutil.Error:
            continue
        if words and words[0].startswith("ray::Replica"):
            found.append(process)
    return found
