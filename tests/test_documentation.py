"""What the documentation tells people to type works."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from harness.core import registry
from harness.examine.inspection import kinds_table
from harness.record import load_record
from harness.signing import attest_run, load_signing_key, new_keys
from harness.suitefiles.declared import read_suite_file
from harness.suitefiles.selection import presets
from tests.cli.conftest import write_suite
from tests.forks import python
from tests.tiny import build_tiny_checkpoint, tiny_llama_config

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
SERVER = "harness leaderboard"
"""Runs until it is stopped; tests/leaderboard/test_browser.py looks at it."""


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def commands(text: str) -> list[str]:
    """Lines of shell blocks, their comments cut off."""
    lines = (line.split("  #")[0].strip() for block in blocks(text, "sh") for line in block.splitlines())
    return [line for line in lines if line]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where a reader would stand: a checkpoint, a suite file, one finished run, and the keys that it is signed with."""
    folder = tmp_path_factory.mktemp("reader")
    # Wide enough for every prompt of the suites: one that lost its question would make the run a partial one.
    config = tiny_llama_config(max_position_embeddings=8192)
    (folder / "my-checkpoint").symlink_to(build_tiny_checkpoint(tmp_path_factory.mktemp("wide"), config=config))
    write_suite(folder).rename(folder / "my-suite.yaml")
    run(["harness", "eval", "--model", "./my-checkpoint", "--suite", "my-suite.yaml", "--meter", "none"], folder)
    private, _, _ = new_keys(folder / "keys")
    attest_run(load_record(first_run(folder)), load_signing_key(private))
    return folder


def first_run(folder):
    return min((folder / "runs").glob("*/spec.json"), key=lambda path: path.stat().st_mtime).parent


def run(command, folder, exits=(0,)):
    finished = python("-m", *command, cwd=folder)
    assert finished.returncode in exits, (command, finished.stderr)
    return finished


def test_make_knows_the_targets_that_the_readme_names():
    named = {line.split()[1] for line in commands(README) if line.startswith("make ")}
    assert named == {"demo", "test"}
    rules = (ROOT / "Makefile").read_text()
    assert all(f"\n{target}:" in rules for target in named)
    assert (ROOT / ".ci" / "run").read_text().endswith("exec make test\n")


IN_BLOCKS = [line for line in commands(README) if line.startswith("harness ")]
IN_SENTENCES = re.findall(r"`(harness [a-z ]+)`", README)


@pytest.mark.parametrize("line", dict.fromkeys(line for line in IN_BLOCKS + IN_SENTENCES if line != SERVER))
def test_a_command_of_the_readme_runs(line, folder):
    """The real command, but for sizes: two samples a task, and the tiny checkpoint for the real one."""
    run_id = first_run(folder).name
    words = ["./my-checkpoint" if word == "smollm2-135m" else word for word in shlex.split(line.replace("RUN", run_id))]
    if words[1] == "eval":
        words += ["--limit", "2", "--meter", "none"]
    if words[1] in ("gate", "decide") and not (folder / "policy.yaml").exists():
        run(["harness", "policy", "init", run_id, "--file", "policy.yaml"], folder)
    if words[1:3] == ["keys", "new"]:
        words += ["--out", "more-keys"]
    # So few samples don't decide everything.
    run(words, folder, exits=(0, 3) if words[1] == "decide" else (0,))


def test_the_python_of_the_readme_runs(folder):
    (script,) = blocks(README, "python")
    run(["timeit", "-n1", "-r1", script], folder)


def test_the_readme_lists_the_suites_that_there_are():
    listed = re.findall(r"^\| `(\w+)` \|", README, flags=re.MULTILINE)
    assert listed == registry.names("harness.suites")


def test_the_suite_file_of_the_documentation_is_valid(tmp_path):
    (text,) = blocks((ROOT / "docs" / "suite-files.md").read_text(), "yaml")
    (tmp_path / "documented.yaml").write_text(text)
    file = read_suite_file(tmp_path / "documented.yaml")
    names = [task.name for task in file.tasks]
    ours = ["piqa", "boolq", "tickets", "manuals", "answers", "sums"]
    assert names == [*ours, "receipts", "totals", "calls", "moods_heard", "handbook", "moods", "names"]


def test_every_preset_is_a_valid_suite_file():
    found = {name: read_suite_file(path).name for name, path in presets().items()}
    assert found == {name: name for name in ("ci", "full", "instruct", "quick", "standard")}


def test_the_plug_in_of_the_documentation_is_a_task():
    code, *_ = blocks((ROOT / "docs" / "plugins.md").read_text(), "python")
    scope: dict[str, object] = {"__name__": "documented"}
    exec(code, scope)
    task = scope["Rhymes"]()
    sample = task.sample({"line": "the cat", "options": ["hat", "dog"], "gold": 0})
    assert [request.continuation for request in task.requests(sample)] == [" hat", " dog"]


def test_the_table_of_suites_by_kind_is_that_of_the_code():
    text = (ROOT / "docs" / "checkpoints.md").read_text()
    assert kinds_table() in text, "run `python docs/regenerate.py`"


def test_links_between_documents_lead_somewhere():
    for document in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"), ROOT / "CONTRIBUTING.md"):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text()):
            assert (document.parent / target).exists(), (document.name, target)


def test_help_is_answered_without_heavy_imports():
    script = (
        "import sys, json\nsys.argv = ['harness', '--help']\nfrom harness.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    loaded = json.loads(printed.splitlines()[-1])
    assert not {"torch", "transformers", "numpy", "scipy", "pandas", "datasets", "pyarrow", "typing_extensions"} & set(
        loaded
    )


COMMANDS = ["eval", "show", "runs", "suites", "tasks", "inspect", "doctor", "data fetch", "data list"]
COMMANDS += ["keys new", "seal", "verify", "prove", "card", "export", "compare", "gate", "decide", "rank"]
COMMANDS += ["policy init", "policy plan"]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_gives_an_example(command):
    printed = run(["harness", *command.split(), "--help"], ROOT).stdout
    assert re.search(rf"Examples?:?.*harness {command}", printed, flags=re.DOTALL)


def test_the_site_has_every_page_in_its_menu_and_no_dead_link(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going", "docs", str(tmp_path)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    found = json.loads(
        (tmp_path / "searchindex.js").read_text("utf-8").removeprefix("Search.setIndex(").removesuffix(")")
    )
    assert {"gate", "api/tasks", "suites/fairness"} <= set(found["docnames"])
