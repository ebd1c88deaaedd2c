"""What the guides tell people to write does what they say, in as few files as they say."""

import json
import re
import shutil
import tomllib
from pathlib import Path

import pytest

from tests.forks import python

ROOT = Path(__file__).parents[1]
GUIDES = ROOT / "docs" / "guides"
PACKAGES = ("harness", "suites", "probes", "leaderboard")
PART = re.compile(r"^\*\*`([^`]+)`\*\*$|^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MOST_FILES = {"add-a-task": 3, "add-a-metric": 2, "add-a-kind": 3, "add-a-report-section": 3}


def parts(guide: str) -> list[tuple[str, str, str]]:
    """Each block of a guide that changes a file: the file, the language of the block, its text."""
    found, place = [], ""
    for name, language, text in PART.findall((GUIDES / f"{guide}.md").read_text("utf-8")):
        if name:
            place = name
        elif language in ("python", "diff", "yaml", "toml"):
            found.append((place, language, text))
    return found


def write(guide: str, house: Path) -> None:
    for name, language, text in parts(guide):
        path = house / name
        if language != "diff":
            assert not path.exists(), f"{name} is there already"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            continue
        lines = text.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if line[0] in " -")
        after = "".join(line[1:] for line in lines if line[0] in " +")
        content = path.read_text("utf-8")
        assert content.count(before) == 1, f"{name} has changed since the guide was written"
        path.write_text(content.replace(before, after), encoding="utf-8")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which every guide was followed, with the entry points that it would have installed."""
    house = tmp_path_factory.mktemp("house")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, house / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", house)
    for guide in MOST_FILES:
        write(guide, house)
    project = tomllib.loads((house / "pyproject.toml").read_text("utf-8"))["project"]
    metadata = house / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Name: {project['name']}\nVersion: {project['version']}\n")
    sections = [
        "\n".join([f"[{group}]", *(f"{name} = {value}" for name, value in entries.items())])
        for group, entries in project["entry-points"].items()
    ]
    (metadata / "entry_points.txt").write_text("\n".join(sections))
    return house


@pytest.mark.parametrize(("guide", "most"), MOST_FILES.items())
def test_no_guide_asks_for_more_files_than_promised(guide: str, most: int) -> None:
    # A folder that is new counts as one file.
    touched = {str(Path(name).parent) if not (ROOT / name).parent.exists() else name for name, _, _ in parts(guide)}
    assert 0 < len(touched) <= most


def harness(house: Path, *arguments: object) -> str:
    done = python("-m", "harness", *arguments, cwd=house, path=(house,))
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_task_and_a_metric_that_were_added_are_evaluated(house: Path, tiny_llama: Path, tmp_path: Path) -> None:
    asked = ("--task", "boolq_closed_book", "--limit", 40, "--output", tmp_path / "runs")
    told = harness(house, "eval", "--model", tiny_llama, "--meter", "none", "--json", *asked)
    found = {one["metric"]: one for one in json.loads(told)["estimates"] if one["suite"] == "accuracy"}
    assert {"acc", "mcc", "balanced_accuracy"} <= set(found)
    assert 0 <= found["balanced_accuracy"]["value"] <= 1


SUITE = """
name: letters
tasks:
  - {name: letters, type: multiple_choice, data: rows.jsonl, prompt: "{asked}", choices: [zz, ee], gold: gold}
"""


def test_a_kind_and_a_section_that_were_added_are_in_the_report(house: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    (model / "byte_counts.json").write_text(json.dumps({str(ord("e")): 30, str(ord(" ")): 10}))
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps({"asked": n, "gold": "ee"}) + "\n" for n in ("one", "two")))
    (tmp_path / "suite.yaml").write_text(SUITE)
    asked = ("--suite", tmp_path / "suite.yaml", "--output", tmp_path / "runs")
    run = json.loads(harness(house, "eval", "--model", model, "--meter", "none", "--json", *asked))
    assert [one["value"] for one in run["estimates"] if one["metric"] == "acc"] == [1.0]
    for language, said in (("en", "2 samples were asked in all."), ("zh", "共测试 2 个样本。")):
        report = tmp_path / f"{language}.md"
        harness(house, "report", run["folder"], "--markdown", report, "--language", language)
        assert said in report.read_text("utf-8")
