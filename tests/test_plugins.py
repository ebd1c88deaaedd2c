"""A third-party package adds a task, a suite, a meter and a data set with one file and an entry point each."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

PYPROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "harness-poems"
version = "1.0"

[project.entry-points."harness.suites"]
poetry = "harness_poems:Poetry"

[project.entry-points."harness.tasks"]
rhymes = "harness_poems:Rhymes"

[project.entry-points."harness.meters"]
stopwatch = "harness_poems:Stopwatch"

[project.entry-points."harness.datasets"]
rhymes = "harness_poems:RHYMES"
"""
MODULE = '''
"""Suites of poems."""

import time
from contextlib import contextmanager
from pathlib import Path

from harness.core.datasets import DataSet
from harness.core.meters import NullMeter, Window
from harness.core.tasks import Suite
from harness.data import FileSource
from harness.tasks.choices import MultipleChoice

RHYMES = DataSet(
    name="rhymes",
    title="Rhymes",
    source=FileSource(Path(__file__).with_name("rhymes.jsonl")),
    licence="CC0-1.0",
    citation="ours",
    homepage="none",
    columns=("line", "options", "gold"),
)


class Rhymes(MultipleChoice):
    """Which word rhymes?"""

    name = "rhymes"
    data = RHYMES

    def question(self, row):
        from harness_poems.words import VERB

        return f"{VERB}: {row['line']} -"

    def choices(self, row):
        return row["options"]

    def gold(self, row):
        return row["gold"]


class Poetry(Suite):
    """How well a model rhymes."""

    name = "poetry"
    tasks = ("rhymes",)

    def derive(self, results):
        import harness_poems.sums

        return ()


class Stopwatch(NullMeter):
    """Measures time and no energy."""

    def __init__(self, publish, region):
        self.publish, self.region = publish, region

    @contextmanager
    def phase(self, name):
        start = time.monotonic()
        yield
        self.publish(
            Window(
                phase=name,
                duration_s=time.monotonic() - start,
                energy_joules=None,
                basis="measured",
                source="stopwatch",
                reason="a stopwatch measures no energy",
                region=self.region,
            )
        )
'''


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the package was really built and installed."""
    source, target = tmp_path_factory.mktemp("poems"), tmp_path_factory.mktemp("site")
    package = source / "harness_poems"
    package.mkdir()
    (source / "pyproject.toml").write_text(PYPROJECT)
    (package / "__init__.py").write_text(textwrap.dedent(MODULE))
    (package / "words.py").write_text("VERB = 'Rhyme'\n")
    (package / "sums.py").write_text("")
    rows = [{"line": f"the cat {n}", "options": ["hat", "dog"], "gold": 0} for n in range(4)]
    (package / "rhymes.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--target", str(target), str(source)], check=True, capture_output=True)
    return target


def harness(site: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])}
    return subprocess.run(
        [sys.executable, "-m", "harness", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=environment,
    )


def test_an_installed_package_brings_suite_task_data_and_meter(site, tiny_llama, tmp_path):
    command = ("eval", "--model", str(tiny_llama), "--suite", "poetry", "--meter", "stopwatch", "--json")
    finished = harness(site, *command, cwd=tmp_path)
    assert finished.returncode == 0, finished.stderr
    result = json.loads(finished.stdout)
    assert {(row["suite"], row["task"], row["n"]) for row in result["estimates"]} == {("poetry", "rhymes", 4)}
    windows = [json.loads(line)["entry"] for line in (tmp_path / result["folder"] / "windows.jsonl").open()]
    assert {"idle", "load", "poetry/loglikelihood"} == {window["phase"] for window in windows}


@pytest.mark.parametrize("name", ["words.py", "sums.py"])
def test_a_run_is_another_once_a_module_of_the_package_is_edited(site, tiny_llama, tmp_path, name):
    """One that its task imports, and one that its suite does."""
    command = ("eval", "--model", str(tiny_llama), "--suite", "poetry", "--meter", "none", "--limit", "1", "--json")
    first = json.loads(harness(site, *command, cwd=tmp_path).stdout)
    (site / "harness_poems" / name).write_text("VERB = 'Find a rhyme'\n")
    assert json.loads(harness(site, *command, cwd=tmp_path).stdout)["run_id"] != first["run_id"]


CHECKS = """
from harness.core import registry
from harness.testing import check_suite, check_task

check_task(registry.task("rhymes"), limit=2)
check_suite(registry.suite("poetry"), limit=2)
"""


def test_it_keeps_the_contracts_that_ours_keep(site, tmp_path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])}
    finished = subprocess.run(
        [sys.executable, "-c", CHECKS], capture_output=True, text=True, cwd=tmp_path, env=environment
    )
    assert finished.returncode == 0, finished.stderr


def test_it_is_listed_like_our_own(site, tmp_path):
    suites = json.loads(harness(site, "suites", "--json", cwd=tmp_path).stdout)
    assert {"suite": "poetry", "tasks": ["rhymes"], "description": "How well a model rhymes."} in suites
    assert "rhymes" in {row["data"] for row in json.loads(harness(site, "data", "list", "--json", cwd=tmp_path).stdout)}


def test_one_that_fails_to_import_stops_the_command_with_its_name_and_cause(site, tiny_llama, tmp_path):
    broken = tmp_path / "site"
    broken.mkdir()
    for path in site.iterdir():
        (broken / path.name).symlink_to(path)
    (broken / "harness_poems").unlink()
    (broken / "harness_poems.py").write_text("import a_library_that_is_not_there")
    command = ("eval", "--model", str(tiny_llama), "--suite", "poetry", "--meter", "none")
    finished = harness(broken, *command, cwd=tmp_path)
    assert finished.returncode == 2
    assert finished.stderr.count("\n") == 1
    for words in ("poetry", "harness-poems", "No module named 'a_library_that_is_not_there'"):
        assert words in finished.stderr
