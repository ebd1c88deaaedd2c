"""The command line as a user runs it: a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

QUESTIONS = [
    {
        "question": f"Where does the fox number {n} jump?",
        "options": ["over the dog", "by the river", "home"],
        "gold": n % 3,
    }
    for n in range(24)
]
TEXTS = [{"text": f"The committee met {n} times to discuss energy, water and schools."} for n in range(6)]
SUITE = """
name: mine
description: Small tasks for tests.
tasks:
  - name: foxes
    type: multiple_choice
    data: questions.jsonl
    prompt: "Question: {question}\\nAnswer:"
    choices: options
    gold: gold
    metrics: [acc, acc_norm]
  - name: minutes
    type: loglikelihood_rolling
    data: texts.jsonl
    text: text
"""


@pytest.fixture
def harness(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `harness` with these arguments in a scratch folder."""

    def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "harness", *map(str, arguments)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            env={**os.environ, **environment},
        )

    return run


def write_suite(folder: Path) -> Path:
    """A suite file with two small tasks and their data."""
    for name, rows in (("questions.jsonl", QUESTIONS), ("texts.jsonl", TEXTS)):
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "mine.yaml").write_text(SUITE)
    return folder / "mine.yaml"


@pytest.fixture
def suite_file(tmp_path: Path) -> Path:
    """See `write_suite`, in the scratch folder."""
    return write_suite(tmp_path)


@pytest.fixture
def harness_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The same within this process, which saves the seconds of start-up."""
    from harness.cli import main

    def run(*arguments: object, cwd: Path = tmp_path, **environment: str) -> subprocess.CompletedProcess[str]:
        command = ["harness", *map(str, arguments)]
        monkeypatch.chdir(cwd)
        monkeypatch.setattr(sys, "argv", command)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return subprocess.CompletedProcess(command, int(ended.value.code or 0), printed.out, printed.err)

    return run
