"""The server that runs the corpus, and the sound scene that each entry breaks."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.conftest import write_suite
from tests.corpus.child import CPU_S, START_S
from tests.corpus.entry import WRITABLE, Scene

IS_FRESH = "HARNESS_CORPUS_FRESH" in os.environ
CPU_LIMIT_S = CPU_S + (START_S if IS_FRESH else 0)
"""Set: each entry gets an interpreter of its own, as users have it; slower."""

SETTINGS = {
    "OMP_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    # Relative, and so in the scene of each entry; libraries read these when they are imported.
    "HF_HUB_CACHE": "hub",
    "HF_DATASETS_CACHE": "tmp/datasets",
    "LM_HARNESS_CACHE_PATH": "planted",
}

OWN = ("TORCHINDUCTOR_CACHE_DIR",)
"""What torch has set for the process of the tests itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a command printed and did. `deeds` are the writes elsewhere, programs started and connections made."""

    exit_code: int
    peak_bytes: int
    cpu_s: float
    stdout: str
    stderr: str
    deeds: tuple[str, ...]


class Runner:
    """Runs the harness's command line under limits of memory and time."""

    def __init__(self) -> None:
        self._server: subprocess.Popen[str] | None = None

    def __call__(self, scene: Scene, command: tuple[str, ...], environment: Mapping[str, str] | None = None) -> Outcome:
        """Run the command in the scene's folder; what was printed and reported lies beside it."""
        beside = scene.folder.with_name(f"{scene.folder.name}-outcome")
        beside.mkdir()
        job = {
            "cwd": str(scene.folder),
            "command": command,
            "seconds": CPU_LIMIT_S,
            "writable": WRITABLE,
            "environment": {
                "HOME": str(scene.folder / "home"),
                "TMPDIR": str(scene.folder / "tmp"),
                **(environment or {}),
            },
            **{name: str(beside / name) for name in ("stdout", "stderr", "report")},
        }
        answer = self._ask(job)
        printed = {name: (beside / name).read_text("utf-8", "replace") for name in ("stdout", "stderr", "report")}
        shutil.rmtree(beside)
        return Outcome(
            exit_code=int(answer["exit_code"]),
            peak_bytes=int(answer["peak_bytes"]),
            cpu_s=answer["cpu_s"],
            stdout=printed["stdout"],
            stderr=printed["stderr"],
            deeds=tuple(printed["report"].splitlines()),
        )

    def _ask(self, job: Mapping[str, object]) -> dict[str, float]:
        if self._server is None:
            fresh = ["--fresh"] if IS_FRESH else []
            self._server = subprocess.Popen(
                [sys.executable, "-m", "tests.corpus.child", *fresh],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env={**{name: value for name, value in os.environ.items() if name not in OWN}, **SETTINGS},
            )
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(job) + "\n")
        self._server.stdin.flush()
        answer: dict[str, float] = json.loads(self._server.stdout.readline())
        return answer

    def close(self) -> None:
        """End the server."""
        if self._server is not None:
            assert self._server.stdin is not None
            self._server.stdin.close()
            self._server.wait(timeout=30)


@pytest.fixture(scope="session")
def harness_limited() -> Iterator[Runner]:
    """Runs a command of the harness in a scene, under limits."""
    runner = Runner()
    yield runner
    runner.close()


@pytest.fixture
def scene(tiny_llama: Path, tmp_path: Path) -> Scene:
    """A sound checkpoint and a sound suite."""
    folder = tmp_path / "scene"
    shutil.copytree(tiny_llama, folder / "model")
    write_suite(folder)
    for name in ("home", "tmp"):
        (folder / name).mkdir()
    return Scene(folder)
