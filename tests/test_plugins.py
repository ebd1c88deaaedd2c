"""A third-party package adds a task, a suite, a meter, a scorer and data with one file and an entry point each."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from harness.record import load_record
from tests.forks import python

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

[project.entry-points."harness.scorers"]
shouting = "harness_poems.shouting:Shouting"

[project.entry-points."harness.swaps"]
hats_and_dogs = "harness_poems.exchange:HatsAndDogs"

[project.entry-points."harness.engines"]
bigram = "harness_poems.bigram:BIGRAM"

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


SHOUTING = '''
"""A scorer of what a model writes."""


class Shouting:
    """The share of letters that are capitals."""

    name = "shouting"
    languages = ()
    threshold = 0.5
    identity = {"scorer": "shouting", "version": 1}

    def score(self, texts):
        letters = [[letter for letter in text if letter.isalpha()] for text in texts]
        return [sum(letter.isupper() for letter in line) / max(1, len(line)) for line in letters]
'''
EXCHANGE = '''
"""An exchange of words."""

NAMES = {"hat": "dog", "dog": "hat"}


class HatsAndDogs:
    """Hats for dogs, and dogs for hats."""

    version = "1"

    def mapping(self, text, rng):
        return {word: other for word, other in NAMES.items() if word in text.split()}

    def apply(self, text, mapping):
        return " ".join(mapping.get(word, word) for word in text.split(" "))
'''
BIGRAM = '''
"""A kind of model: how often a word followed another."""

from harness.core.models import Kind
from harness.core.requests import Loglikelihood

BIGRAM = Kind(
    name="bigram",
    title="table of word pairs",
    answers=(Loglikelihood,),
    trial=Loglikelihood(context="the", continuation=" cat"),
    opener="harness_poems.pairs:open_bigram",
    marker="bigram.json",
)
'''
PAIRS = """
import json
import math

from harness.core.models import Batch
from harness.core.requests import Response


def open_bigram(checkpoint, options, meter, loader):
    return Bigram(json.loads((checkpoint.path / "bigram.json").read_text()))


class Bigram:
    def __init__(self, counts):
        self.counts = counts

    def plan(self, requests):
        return [Batch(tuple(sorted(requests, key=lambda request: request.id)))]

    def answer(self, batch):
        return [self._answered(request) for request in batch.requests]

    def _answered(self, request):
        followers = self.counts.get(request.context.split()[-1], {})
        word = request.continuation.strip()
        if word not in followers:
            return Response(request_id=request.id, invalid="it never saw these words together")
        share = followers[word] / sum(followers.values())
        return Response(
            request_id=request.id,
            loglikelihood=math.log(share),
            token_count=1,
            is_greedy=share == max(followers.values()) / sum(followers.values()),
        )
"""


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
    (package / "bigram.py").write_text(BIGRAM)
    (package / "shouting.py").write_text(SHOUTING)
    (package / "exchange.py").write_text(EXCHANGE)
    (package / "pairs.py").write_text(PAIRS)
    rows = [{"line": f"the cat {n}", "options": ["hat", "dog"], "gold": 0} for n in range(4)]
    (package / "rhymes.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--target", str(target), str(source)], check=True, capture_output=True)
    return target


def harness(site: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return python("-m", "harness", *arguments, cwd=cwd, path=(site,))


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


def test_a_scorer_of_its_own_judges_what_a_model_writes(site, tiny_llama, tmp_path):
    command = ("eval", "--model", str(tiny_llama), "--task", "real_toxicity", "--limit", "2", "--meter", "none")
    finished = harness(site, *command, "--toxicity-model", "shouting", "--json", cwd=tmp_path)
    assert finished.returncode == 0, finished.stderr
    result = json.loads(finished.stdout)
    record = load_record(tmp_path / result["folder"])
    assert record.spec.tasks[0].definition["toxicity"] == {"scorer": "shouting", "version": 1}
    (most,) = (row for row in result["estimates"] if row["metric"] == "expected_maximum_toxicity" and not row["group"])
    written = {sample: [] for sample in record.samples["sample_id"]}
    for row in record.samples.itertuples():
        letters = [letter for letter in row.text if letter.isalpha()]
        written[row.sample_id].append(sum(map(str.isupper, letters)) / max(1, len(letters)))
    assert most["value"] == pytest.approx(sum(map(max, written.values())) / 2)
    (site / "harness_poems" / "shouting.py").write_text(SHOUTING.replace("max(1, ", "(1 + "))
    again = harness(site, *command, "--toxicity-model", "shouting", "--json", cwd=tmp_path)
    assert json.loads(again.stdout)["run_id"] != result["run_id"]


def asking(folder: Path, task: str, place: str) -> tuple[str, ...]:
    """The command that asks a table of word pairs this task, named in the command or in a suite file."""
    (folder / "counted").mkdir()
    (folder / "counted" / "bigram.json").write_text(json.dumps({"-": {"hat": 3, "dog": 1}}))
    (folder / "mine.yaml").write_text(f"tasks: ['{task}']\n")
    asked = ("--task", task) if place == "command" else ("--suite", "mine.yaml")
    return ("eval", "--model", "./counted", "--meter", "none", "--json", *asked)


@pytest.mark.parametrize("place", ["command", "file"])
def test_a_swap_of_its_own_is_used_by_its_name(site, tmp_path, place):
    name = "counterfactual@hats_and_dogs:rhymes"
    command = asking(tmp_path, name, place)
    finished = harness(site, *command, cwd=tmp_path)
    assert finished.returncode == 0, finished.stderr
    result = json.loads(finished.stdout)
    # "hat" is always the likelier: the first choice as it stands, the second once the two are exchanged.
    (flips,) = (row for row in result["estimates"] if row["metric"] == "flip_rate")
    assert (flips["task"], flips["value"], flips["n"]) == (name, 1.0, 4)
    (task,) = load_record(tmp_path / result["folder"]).spec.tasks
    assert (task.task, task.definition["swap_name"], task.definition["swap"]) == (name, "hats_and_dogs", "1")
    assert harness(site, "verify", result["folder"], cwd=tmp_path).returncode == 0
    if place == "command":
        (site / "harness_poems" / "exchange.py").write_text(EXCHANGE + "\n\nMORE = 1\n")
        assert json.loads(harness(site, *command, cwd=tmp_path).stdout)["run_id"] != result["run_id"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("counterfactual@hats_and_dog:rhymes", "no such exchange of names; did you mean hats_and_dogs"),
        ("counterfactual@:rhymes", "no such exchange of names"),
        ("robustness@hats_and_dogs:rhymes", "robustness takes no name behind an @"),
        ("counterfactual:rhymes", "first name to exchange that name_swap knows"),
    ],
)
@pytest.mark.parametrize("place", ["command", "file"])
def test_a_swap_that_is_not_there_is_refused_in_a_line(site, tmp_path, name, said, place):
    finished = harness(site, *asking(tmp_path, name, place), cwd=tmp_path)
    assert finished.returncode == 2
    assert said in finished.stderr
    assert finished.stderr.count("\n") == 1


CHECKS = """
from harness.core import registry
from harness.testing import check_suite, check_task

check_task(registry.task("rhymes"), limit=2)
check_suite(registry.suite("poetry"), limit=2)
"""


def test_it_keeps_the_contracts_that_ours_keep(site, tmp_path):
    (tmp_path / "checks.py").write_text(CHECKS)
    finished = python(tmp_path / "checks.py", cwd=tmp_path, path=(site,))
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
    # Its kind of model is looked for first: that may be what the checkpoint is.
    for words in ("bigram", "harness-poems", "No module named 'a_library_that_is_not_there'"):
        assert words in finished.stderr


def test_a_kind_of_model_of_its_own_is_recognised_and_evaluated(site, tmp_path):
    folder = tmp_path / "counted"
    folder.mkdir()
    (folder / "bigram.json").write_text(json.dumps({"-": {"hat": 3, "dog": 1}, "the": {"cat": 1}}))
    command = ("eval", "--model", str(folder), "--suite", "poetry", "--meter", "none", "--json")
    finished = harness(site, *command, cwd=tmp_path)
    assert finished.returncode == 0, finished.stderr
    result = json.loads(finished.stdout)
    # Every question is "... -", after which "hat", the gold answer, stood three times in four.
    (accuracy,) = (row for row in result["estimates"] if row["task"] == "rhymes" and row["metric"] == "acc")
    assert (accuracy["value"], accuracy["n"]) == (1.0, 4)
    record = load_record(tmp_path / result["folder"])
    assert record.spec.kind == "bigram"
    assert sorted({round(value, 6) for value in record.samples["loglikelihood"]}) == [-1.386294, -0.287682]
    again = harness(site, "verify", result["folder"], "--rerun", "2", "--model", str(folder), cwd=tmp_path)
    assert again.returncode == 0, again.stderr

    looked_at = harness(site, "doctor", "--model", str(folder), "--json", cwd=tmp_path)
    answer = next(row for row in json.loads(looked_at.stdout) if row["name"] == "answer")
    assert answer["status"] == "ok", answer


def test_what_such_a_kind_is_not_asked_is_told_in_a_sentence(site, tmp_path):
    folder = tmp_path / "counted"
    folder.mkdir()
    (folder / "bigram.json").write_text("{}")
    finished = harness(site, "eval", "--model", str(folder), "--task", "xsum_summary", cwd=tmp_path)
    assert finished.returncode == 2
    assert "a table of word pairs doesn't write" in finished.stderr
    assert finished.stderr.count("\n") == 1
    (folder / "bigram.json").unlink()
    for kind, words in (("bigram", "holds no bigram.json"), ("trigram", "no such kind of checkpoint; did you mean")):
        refused = harness(site, "inspect", "--model", str(folder), "--kind", kind, cwd=tmp_path)
        assert refused.returncode == 2
        assert words in refused.stderr


def test_a_kind_is_listed_without_what_runs_it(site, tmp_path):
    """Names and titles cost no import of torch, nor of the package's own model."""
    code = (
        "import sys; from harness.core import registry; "
        "print(*(kind.title for kind in registry.kinds())); "
        "print([name for name in ('torch', 'transformers', 'harness_poems.pairs') if name in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])}
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    titles, imported = said.stdout.splitlines()
    assert "table of word pairs" in titles
    assert imported == "[]"
