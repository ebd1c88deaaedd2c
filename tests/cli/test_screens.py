"""What the commands print at 80 columns: forecasts, lists, samples; and that nothing is written by looking."""

import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import pytest

from harness.cli.screens.panels import EVALUATION
from harness.core.checkpoints import EndpointOptions
from harness.core.text.counts import numbered
from harness.record import load_record
from harness.run.options import EvalOptions
from harness.run.replicas.options import ReplicaOptions
from tests.cli.conftest import QUESTIONS, write_suite
from tests.forks import python


@pytest.fixture(scope="module")
def place(tiny_llama: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a checkpoint, a suite file, and one finished run."""
    folder = tmp_path_factory.mktemp("screens")
    (folder / "model").symlink_to(tiny_llama)
    write_suite(folder)
    finished = python("-m", *EVAL, cwd=folder)
    assert finished.returncode == 0, finished.stderr
    return folder


EVAL = ("harness", "eval", "--model", "model", "--suite", "mine.yaml", "--meter", "none", "--store", "none")


@pytest.fixture
def run_id(place: Path) -> str:
    (spec,) = (place / "runs").glob("*/spec.json")
    return spec.parent.name


def test_a_dry_run_counts_what_the_run_computes_and_leaves_the_folder_alone(harness_here, place, run_id):
    before = {path: path.stat().st_mtime_ns for path in place.rglob("*")}
    told = harness_here(*EVAL[1:], "--dry-run", "--json", cwd=place)
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)
    assert {path: path.stat().st_mtime_ns for path in place.rglob("*")} == before
    record = load_record(place / "runs" / run_id)
    assert found["run_id"] == run_id
    assert found["is_finished"]
    by_task = {one["task"]: one for one in found["tasks"]}
    assert {name: one["samples"] for name, one in by_task.items()} == {"foxes": 24, "minutes": 6}
    asked = record.samples["task"].value_counts()
    assert {name: one["requests"] for name, one in by_task.items()} == asked.to_dict()
    # No two of these tasks share a phase, so that their sum is what the record counts.
    assert sum(one["tokens_read"] for one in found["tasks"]) == record.token_counts[1]
    assert all(one["estimated_seconds"] > 0 for one in found["tasks"])
    # Nothing measured the energy, so there is none.
    assert all(one["estimated_joules"] is None for one in found["tasks"])


def test_a_dry_run_says_that_it_estimates_and_from_what(harness_here, place):
    told = harness_here(*EVAL[1:], "--dry-run", cwd=place).stdout
    for words in (
        "foxes",
        "in all: 2 tasks",
        "an estimate from 2 batches",
        "energy: not estimated",
        "dry run: nothing",
    ):
        assert words in " ".join(told.split())


def test_a_dry_run_is_of_one_process(harness_here, place):
    refused = harness_here(*EVAL[1:], "--dry-run", "--workers", "2", cwd=place)
    assert refused.returncode == 2
    assert "Leave it out with --dry-run" in refused.stderr


def test_without_a_suite_it_says_which_one_it_takes(harness_here, place, monkeypatch):
    # The usual one, `full`, has more to plan than a test may.
    monkeypatch.setattr("harness.suitefiles.selection.DEFAULT", "mine.yaml")
    told = harness_here("eval", "--model", "model", "--dry-run", "--meter", "none", cwd=place)
    assert "no --suite given, so this runs mine.yaml" in told.stderr
    assert "foxes" in told.stdout
    # A bad input is one line.
    assert harness_here("eval", "--model", "nowhere", cwd=place).stderr.count("\n") == 1


def test_version_and_short_help(harness_here):
    assert harness_here("--version").stdout == f"harness {version('responsible-eval-harness')}\n"
    for command in ((), ("eval",), ("policy", "init")):
        assert harness_here(*command, "-h").stdout == harness_here(*command, "--help").stdout


def test_commands_that_read_take_the_folder_as_records_or_output(harness_here, place, run_id, tmp_path):
    for name in ("--records", "--output"):
        shown = harness_here("show", run_id[:6], name, place / "runs", cwd=tmp_path)
        assert shown.returncode == 0, shown.stderr


def widths(text: str) -> int:
    return max(map(len, text.splitlines()))


def test_piped_output_is_as_wide_as_columns_says(place, run_id):
    narrow, usual = (
        python("-m", "harness", "show", run_id, "--all", cwd=place, **wide).stdout for wide in ({"COLUMNS": "80"}, {})
    )
    assert "95 % interval" not in narrow
    assert "95 % interval" in usual


def test_tasks_are_listed_by_suite_and_described_by_name(harness_here):
    listed = harness_here("tasks").stdout
    every = json.loads(harness_here("tasks", "--json").stdout)
    words = set(re.split(r"[\s,]+", listed))
    assert {one["task"] for one in every if len(one["task"]) < 30} <= words
    name = every[0]["task"]
    described = harness_here("tasks", name).stdout
    assert described.startswith(name)
    assert "metrics: " in described


def test_samples_show_what_was_expected_first(harness_here, place, run_id):
    shown = harness_here("show", run_id, "--samples", "--task", "foxes", "--limit", "2", cwd=place).stdout
    first = shown[shown.index("mine/foxes: ") :]
    lines = first.splitlines()
    assert lines[1].startswith("expected: ")
    assert lines[1].removeprefix("expected: ").strip() in QUESTIONS[0]["options"]
    assert lines[2].startswith("answered: ")
    assert len([line for line in lines if line.startswith("✓ ")]) == 2
    likelihoods = re.findall(r"^[✓ ] +(-[\d.,]+)  ", first, flags=re.MULTILINE)
    assert len(likelihoods) == 6
    assert all(len(re.sub(r"\D", "", one)) <= 4 for one in likelihoods)


def test_on_a_terminal_samples_come_one_a_screen(place, run_id):
    main, follower = pty.openpty()
    environment = {**os.environ, "COLUMNS": "80", "LINES": "24", "TERM": "xterm"}
    command = [sys.executable, "-m", "harness", "show", run_id, "--samples", "--limit", "3"]
    process = subprocess.Popen(
        command, cwd=place, env=environment, stdin=follower, stdout=follower, stderr=follower, close_fds=True
    )
    os.close(follower)
    seen = _press(main, "", "q: end")
    assert "(1 of 6)" in seen
    assert "(2 of 6)" not in seen
    assert "(2 of 6)" in _press(main, " ", "(2 of 6)")
    assert "sealed and unchanged" in _press(main, "q", "sealed and unchanged")
    assert process.wait(60) == 0
    os.close(main)


def _press(terminal: int, key: str, until: str) -> str:
    """What is shown until these words are; the key is pressed each second, as what comes too early is thrown away."""
    seen, end = b"", time.monotonic() + 60
    while until.encode() not in seen and time.monotonic() < end:
        os.write(terminal, key.encode())
        while select.select([terminal], [], [], 1)[0] and until.encode() not in seen:
            seen += os.read(terminal, 65536)
    return seen.decode()


def test_a_changed_run_is_listed_as_changed(harness_here, place, run_id, tmp_path):
    copied = tmp_path / "runs" / run_id
    copied.parent.mkdir()
    subprocess.run(["cp", "-r", place / "runs" / run_id, copied], check=True)
    assert harness_here("runs").returncode == 0
    (copied / "scores.parquet").write_bytes(b"other")
    listed = harness_here("runs", "--json")
    assert listed.returncode == 2
    assert [one["state"] for one in json.loads(listed.stdout)] == ["changed"]
    assert "scores.parquet was changed after the run" in listed.stderr


def test_inspect_prints_the_folder(harness_here, place):
    assert str(place / "model") in "".join(harness_here("inspect", "--model", place / "model").stdout.split())
    found = json.loads(harness_here("inspect", "--model", place / "model", "--json").stdout)
    assert Path(found["folder"]).samefile(place / "model")


def test_numbers_of_things():
    assert [numbered(count, "file") for count in (0, 1, 1200)] == ["0 files", "1 file", "1,200 files"]
    assert numbered(2, "batch", "batches") == "2 batches"


def test_the_help_of_eval_has_every_option_under_a_heading(harness_here):
    known = {name for kind in (EvalOptions, EndpointOptions, ReplicaOptions) for name in kind.__dataclass_fields__}
    assert set(EVALUATION) <= known
    shown = harness_here("eval", "--help", COLUMNS="200").stdout
    assert "What is asked" in shown
    # What stands in brackets is no markup.
    assert "[default: full]" in shown
