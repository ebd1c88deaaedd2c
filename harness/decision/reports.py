"""Verdicts in the formats that CI systems read: JUnit XML and SARIF 2.1.0."""

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from harness.core.errors import InputError
from harness.core.text.hashing import canonical_json
from harness.decision.policy import Policy, templates
from harness.decision.verdicts import RuleVerdict, Verdict

__all__ = ["append_text", "sarif", "write_junit", "write_text"]

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_CONTROL = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(path: Path, policy: Policy, verdict: Verdict) -> None:
    """One test case a rule: FAIL is a failure, ERROR an error, INCONCLUSIVE a failure where it blocks.

    Warnings are skipped cases with their reason. Raises `InputError` where the file can't be written.
    """
    suite = TestSuite(_xml(f"harness gate: {policy.name}"))
    for rule in verdict.rules:
        case = TestCase(_xml(rule.rule), classname=_xml(f"{rule.suite}.{rule.task}.{rule.metric}"))
        text = _xml(told(rule))
        if rule.verdict != "PASS":
            blocks = rule.severity == "block" and (rule.verdict != "INCONCLUSIVE" or _blocks(policy, rule))
            kind = (Error if rule.verdict == "ERROR" else Failure) if blocks else Skipped
            case.result = [kind(text, rule.verdict)] if blocks else [kind(text)]
        case.system_out = text
        suite.add_testcase(case)
    document = JUnitXml()
    document.add_testsuite(suite)
    _writing(path, lambda: document.write(str(path), pretty=True))


def sarif(policy: Policy, verdict: Verdict, version: str) -> dict[str, Any]:
    """The verdict as a SARIF log: a result for each rule that failed, at its line in the policy file.

    What holds and what is open is no result, as code scanning would show it as an alert. A rule keeps its fingerprint
    from run to run, by what it is on.
    """
    failed = [rule for rule in verdict.rules if rule.verdict in ("FAIL", "ERROR")]
    rules = [_described(policy, rule) for rule in verdict.rules]
    results = [
        {
            "ruleId": rule.rule,
            "ruleIndex": verdict.rules.index(rule),
            "kind": "fail",
            "level": "error" if rule.severity == "block" else "warning",
            "message": {"text": told(rule)},
            "partialFingerprints": {"harnessRule/v1": _fingerprint(policy, rule)},
            **_located(policy, rule),
        }
        for rule in failed
    ]
    driver = {"name": "harness gate", "version": version, "rules": rules}
    invocation = {"executionSuccessful": verdict.verdict != "ERROR"}
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "invocations": [invocation], "results": results}],
    }


_ASKED = {
    "floor": "The score must be at least its bound",
    "ceiling": "The score must be at most its bound",
    "target": "The score must be within a margin of its target",
    "non_inferior": "Against the baseline, the score may be worse by a margin at most",
    "no_worse_group": "Against the baseline, no group may lose more than a margin",
}
_HELP = (
    "The line of the rule in the policy file says what is allowed. `harness gate RUN --policy FILE` prints the figures "
    "behind the verdict, `harness compare` the samples that changed; docs/gate.md says what each kind of rule means."
)


def _described(policy: Policy, rule: RuleVerdict) -> dict[str, Any]:
    """A rule as GitHub's code scanning requires it, which is more than the schema does: two descriptions and a help."""
    on = f"{rule.suite}/{rule.task}/{rule.metric}"
    return {
        "id": rule.rule,
        "shortDescription": {"text": f"{rule.kind} of {on}"},
        "fullDescription": {
            "text": f"{_ASKED[rule.kind]} ({100 * policy.confidence:.3g} % sure): {on}, policy {policy.name}."
        },
        "help": {"text": _HELP},
    }


def _fingerprint(policy: Policy, rule: RuleVerdict) -> str:
    """What makes a rule the same one in the next run: which policy asks what of which number."""
    on = (policy.name, rule.rule, rule.kind, rule.suite, rule.task, rule.metric)
    return hashlib.sha256(canonical_json(on)).hexdigest()


def _located(policy: Policy, rule: RuleVerdict) -> dict[str, Any]:
    """Where its reader can change something: the policy file, or the workflow that names a shipped policy."""
    path = Path(policy.path)
    if path not in templates().values():
        index = next((i for i, one in enumerate(policy.rules) if one.title == rule.rule), 0)
        return _at(_uri(path), policy.lines[index])
    workflow = _workflow()
    return _at(workflow, 1) if workflow else {}


def _at(uri: str, line: int) -> dict[str, Any]:
    place = {"artifactLocation": {"uri": uri}, "region": {"startLine": line}}
    return {"locations": [{"physicalLocation": place}]}


def _workflow() -> str:
    """The file of the workflow that runs, as its CI system tells it, from the root of the repository."""
    _, _, path = os.environ.get("GITHUB_WORKFLOW_REF", "").partition("/.github/")
    if path:
        return quote(f".github/{path.partition('@')[0]}")
    return quote(os.environ.get("CI_CONFIG_PATH") or ".gitlab-ci.yml") if "GITLAB_CI" in os.environ else ""


def write_text(path: Path, value: Any) -> None:
    """Write a JSON value. Raises `InputError` where it can't be written."""
    _writing(path, lambda: path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"))


def append_text(path: Path, text: str) -> None:
    """Add text to a file's end. Raises `InputError` where it can't be written."""

    def append() -> None:
        with path.open("a", encoding="utf-8") as stream:
            stream.write(text)

    _writing(path, append)


def told(rule: RuleVerdict) -> str:
    """A rule's verdict as one sentence."""
    shown = {
        "number": rule.value,
        "bound": rule.bound,
        "margin": rule.margin,
        "n": rule.n,
        "n that decides": rule.n_needed,
    }
    figures = ", ".join(f"{name} {value:.6g}" for name, value in shown.items() if value is not None)
    return f"{rule.verdict}: {figures}. {rule.reason}"


def _blocks(policy: Policy, verdict: RuleVerdict) -> bool:
    rule = next((one for one in policy.rules if one.title == verdict.rule), None)
    return ((rule.inconclusive if rule else None) or policy.inconclusive) == "block"


def _uri(path: Path) -> str:
    """Where the policy stands: from the folder that the gate was run in, else in full."""
    shown = path.relative_to(Path.cwd()) if path.is_absolute() and path.is_relative_to(Path.cwd()) else path
    return shown.as_uri() if shown.is_absolute() else quote(shown.as_posix())


def _xml(text: str) -> str:
    return _CONTROL.sub("\ufffd", text)


def _writing(path: Path, write: Any) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write()
    except OSError as error:
        raise InputError(f"can't be written ({error.strerror})", place=path, fix="Give another path") from error
