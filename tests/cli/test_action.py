"""The steps of action.yml and of the GitLab component, run from a repository that has none of our files."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from socketserver import StreamRequestHandler, TCPServer
from threading import Thread

import pytest
import yaml

from harness.record import load_record
from tests.cli.conftest import write_suite
from tests.forks import python

ROOT = Path(__file__).parents[2]
LOOSE = "format: 1\nname: ours\nrules:\n  - {kind: floor, suite: mine, task: foxes, metric: acc, bound: 0.0}\n"
STRICT = LOOSE.replace("0.0", "1.0")

ASKING = """
import json, os, socket, sys
with socket.create_connection(("127.0.0.1", {port})) as asked:
    asked.sendall(json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode() + b"\\n")
    code, out, err = json.load(asked.makefile())
sys.stdout.write(out)
sys.stderr.write(err)
sys.exit(code)
"""
"""What stands for the command in the steps: it has the arguments, folder and environment that a shell gives it."""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the steps are of bash")


class _Answering(StreamRequestHandler):
    """Runs the command line in a fork that has the large libraries in memory."""

    def handle(self) -> None:
        arguments, folder, environment = json.loads(self.rfile.readline())
        done = python("-m", "harness", *arguments, cwd=Path(folder), **environment)
        self.wfile.write(json.dumps([done.returncode, done.stdout, done.stderr]).encode())


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Of what runs `harness` for the steps."""
    with TCPServer(("127.0.0.1", 0), _Answering) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


class Scratch:
    """A clone of somebody's repository, whose pull request wants to merge into `main`; `gh` writes its calls down."""

    def __init__(self, folder: Path, port: int, policy_of_base: str, policy_of_pull: str) -> None:
        self.here, self.origin, self.tools = folder / "work", folder / "origin", folder / "tools"
        self.origin.mkdir()
        self.tools.mkdir()
        self._git(self.origin, "init", "--quiet", "--initial-branch", "main")
        (self.origin / "policy.yaml").write_text(policy_of_base)
        write_suite(self.origin)
        self._git(self.origin, "add", ".")
        self._git(self.origin, "-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "--quiet", "-m", "first")
        self._git(folder, "clone", "--quiet", str(self.origin), "work")
        (self.here / "policy.yaml").write_text(policy_of_pull)
        (self.tools / "asking.py").write_text(ASKING.format(port=port))
        self._tool("harness", f'exec "{sys.executable}" -S "{self.tools}/asking.py" "$@"')
        self._tool("python", f'exec "{sys.executable}" "$@"')
        self._tool("pip", "exit 0")
        self._tool("gh", 'printf "%s\\n" "$*" >> calls')

    def _tool(self, name: str, line: str) -> None:
        path = self.tools / name
        path.write_text(f"#!/bin/bash\n{line}\n")
        path.chmod(0o755)

    @staticmethod
    def _git(folder: Path, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)

    def bash(self, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
        path = f"{self.tools}:{os.environ['PATH']}"
        python_path = f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self.here,
            env={**os.environ, "PYTHONPATH": python_path, **environment, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def action(self, **given: str) -> tuple[dict[str, str], int, str]:
        """Outputs, the exit code of the step that failed (0 for none) and what was printed, as a runner has them."""
        action = yaml.safe_load((ROOT / "action.yml").read_text())
        inputs = {name: str(one.get("default", "")) for name, one in action["inputs"].items()} | given
        outputs: dict[str, str] = {}
        failed, printed = 0, ""
        for step in (one for one in action["runs"]["steps"] if "run" in one):
            condition = (
                self._filled(f"${{{{ {step['if'].strip('${} ')} }}}}", inputs, outputs) if "if" in step else "true"
            )
            if condition != "true" or (failed and "always()" not in step.get("if", "")):
                continue
            said = self.here / "said"
            said.write_text("")
            environment = {name: self._filled(value, inputs, outputs) for name, value in step.get("env", {}).items()}
            done = self.bash(step["run"], **self._runner(said), **environment)
            printed += done.stdout + done.stderr
            failed = failed or done.returncode
            for line in said.read_text().splitlines():
                name, _, value = line.partition("=")
                outputs[f"steps.{step['id']}.outputs.{name}"] = value
        told = {name: self._filled(one["value"], inputs, outputs) for name, one in action["outputs"].items()}
        return told, failed, printed

    def _runner(self, said: Path) -> dict[str, str]:
        return {
            "GITHUB_OUTPUT": str(said),
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_BASE_REF": "main",
            "GITHUB_REPOSITORY": "some/body",
            "GITHUB_SERVER_URL": "https://example.org",
            "GITHUB_RUN_ID": "7",
            "GITHUB_STEP_SUMMARY": str(self.here / "summary.md"),
        }

    @staticmethod
    def _filled(text: str, inputs: dict[str, str], outputs: dict[str, str]) -> str:
        """The text with its expressions worked out: of contexts, and of comparisons that are joined by `&&`."""
        known = {f"inputs.{name}": value for name, value in inputs.items()} | outputs
        known |= {"github.event_name": "pull_request", "github.event.pull_request.number": "3"}

        def term(one: str) -> bool:
            left, operator, right = re.fullmatch(r"([\w.()-]+)(?: (==|!=) '(.*)')?", one.strip()).groups()
            if operator is None:
                return left == "always()"
            return (known.get(left, "") == right) == (operator == "==")

        def value(expression: str) -> str:
            if "==" in expression or "!=" in expression:
                return "true" if all(map(term, expression.split("&&"))) else "false"
            return known.get(expression, "")

        return re.sub(r"\$\{\{ (.*?) \}\}", lambda found: value(found[1]), text)


@pytest.fixture
def scratch(tmp_path, port):
    return Scratch(tmp_path, port, policy_of_base=STRICT, policy_of_pull=LOOSE)


def test_the_action_judges_a_pull_request_by_the_policy_of_its_base(scratch, tiny_llama):
    given = {"model": str(tiny_llama), "suite": "mine.yaml", "policy": "policy.yaml", "report": "", "artifact": ""}
    told, failed, printed = scratch.action(**given, arguments="--seed 3 --store none")
    assert (told["verdict"], failed) == ("FAIL", 1), printed
    record = load_record(scratch.here / "runs" / told["run-id"])
    assert record.spec.seed == 3
    assert (scratch.here / "policy.yaml").read_text() == STRICT
    assert (scratch.here / "summary.md").read_text().startswith("## FAIL (1 of 1 rule decided)")
    comment = (scratch.here / "comment.md").read_text()
    assert comment.startswith("<!-- harness-gate ")
    assert "https://example.org/some/body/actions/runs/7" in comment
    assert "repos/some/body/issues/3/comments" in (scratch.here / "calls").read_text()


def test_the_comment_says_why_nothing_could_be_judged(tmp_path, port, tiny_llama):
    scratch = Scratch(tmp_path, port, policy_of_base=STRICT.replace("foxes", "wolves"), policy_of_pull=LOOSE)
    given = {"model": str(tiny_llama), "suite": "mine.yaml", "policy": "policy.yaml", "report": "", "artifact": ""}
    told, failed, printed = scratch.action(**given)
    assert (told["verdict"], failed) == ("ERROR", 2), printed
    assert "no such task in this run" in (scratch.here / "comment.md").read_text()


def test_a_policy_that_the_base_does_not_have_is_named(scratch):
    told, failed, printed = scratch.action(model="none", policy="theirs.yaml", comment="false", artifact="")
    assert (told["verdict"], failed) == ("", 2)
    assert "::error::theirs.yaml is not on the base branch main" in printed


def test_the_policy_of_the_pull_request_holds_where_it_is_asked_for(scratch):
    step = f"bash {ROOT}/.github/gate/policy.sh"
    asked = {"POLICY": "policy.yaml", "GITHUB_BASE_REF": "main"}
    assert scratch.bash(step, **asked, POLICY_FROM="head").returncode == 0
    assert (scratch.here / "policy.yaml").read_text() == LOOSE
    assert scratch.bash(step, **asked, POLICY_FROM="base").returncode == 0
    assert (scratch.here / "policy.yaml").read_text() == STRICT
    assert scratch.bash(step, **{**asked, "POLICY": "default"}, POLICY_FROM="base").returncode == 0


def test_what_is_undecided_fails_a_job_only_where_it_is_asked_to(scratch):
    step = f"bash {ROOT}/.github/gate/verdict.sh"
    codes = {
        (verdict, fail_on): scratch.bash(step, VERDICT=verdict, FAIL_ON=fail_on).returncode
        for verdict in ("PASS", "INCONCLUSIVE", "FAIL", "ERROR", "")
        for fail_on in ("fail", "inconclusive")
    }
    assert codes == {
        ("PASS", "fail"): 0,
        ("PASS", "inconclusive"): 0,
        ("INCONCLUSIVE", "fail"): 0,
        ("INCONCLUSIVE", "inconclusive"): 3,
        ("FAIL", "fail"): 1,
        ("FAIL", "inconclusive"): 1,
        ("ERROR", "fail"): 2,
        ("ERROR", "inconclusive"): 2,
        ("", "fail"): 2,
        ("", "inconclusive"): 2,
    }


def test_a_baseline_is_read_from_its_branch(scratch):
    runs = scratch.origin / "runs" / "one"
    runs.mkdir(parents=True)
    (runs / "seal.json").write_text("{}")
    scratch._git(scratch.origin, "add", ".")
    scratch._git(scratch.origin, "-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "--quiet", "-m", "a baseline")
    step = f"bash {ROOT}/.github/gate/baseline.sh"
    said = scratch.here / "said"
    given = {"BASELINE_ARTIFACT": "", "BASELINE_BRANCH": "main", "GITHUB_OUTPUT": str(said)}
    assert scratch.bash(step, BASELINE="runs/one", **given).returncode == 0
    assert said.read_text() == "folder=baseline-runs/runs/one\n"
    assert scratch.bash(step, BASELINE="runs/two", **given).returncode != 0


def test_the_component_of_gitlab_asks_for_what_it_uses():
    header, body = (ROOT / "templates" / "harness-gate.yml").read_text().split("\n---\n")
    inputs = set(yaml.safe_load(header)["spec"]["inputs"])
    assert set(re.findall(r"\$\[\[ inputs\.([\w-]+) \]\]", body)) == inputs
    (job,) = yaml.safe_load(body).values()
    for script in re.findall(r"\.harness/(\S+\.sh)", " ".join(job["script"])):
        assert (ROOT / script).is_file()
