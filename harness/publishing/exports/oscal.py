"""Results and verdicts as OSCAL assessment results (NIST, version 1.1.3), which tools for governance read."""

import json
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.charts import metric_names
from harness.core.reports.installed import catalogue_folder, suite_title
from harness.core.scores import OVERALL, Estimate
from harness.core.text.display import interval, number
from harness.core.text.translation import naming
from harness.decision.telling.sentences import sentence_of
from harness.decision.verdicts import RuleVerdict, Verdict, latest_verdicts
from harness.record import RunRecord
from harness.record.files import write_whole
from harness.record.seal import SEAL

__all__ = ["write"]

_VERSION = "1.1.3"
_NAMES = uuid.UUID("6f1b7c3e-2f0a-5d8e-9c41-0d5b8a3e7f21")
_SPACE = "urn:responsible-eval-harness"
_STATES = {"PASS": ("satisfied", "pass"), "FAIL": ("not-satisfied", "fail")}


def write(record: RunRecord, out: Path) -> Path:
    """Write one result: an observation for each score of a whole task or suite, a finding for each rule of a gate.

    What a gate could not decide isn't satisfied, for a reason that is neither pass nor fail. No control of a catalogue
    is claimed: which ones a score bears on is for whoever assesses. The same run and verdicts give the same bytes.
    """
    verdicts = latest_verdicts(record.folder)
    seen = [one for one in record.estimate_list if one.group is None and one.value is not None]
    began = record.started_at.isoformat()
    last = max([began, *(one.decided_at for one in verdicts)])
    plan = _id(record, "plan")
    result: dict[str, Any] = {
        "uuid": _id(record, "result"),
        "title": f"Run {record.run_id}",
        "description": f"Evaluation of {Path(record.spec.model).name} ({record.spec.fingerprint})",
        "start": began,
        "reviewed-controls": {"control-selections": [{"include-all": {}}]},
        "observations": [_observation(record, one) for one in seen],
    }
    if findings := [_finding(record, verdict, rule, seen) for verdict in verdicts for rule in verdict.rules]:
        result["findings"] = findings
    if not seen:
        del result["observations"]
    value = {
        "assessment-results": {
            "uuid": _id(record, "document"),
            "metadata": {
                "title": f"Evaluation of {Path(record.spec.model).name}",
                "last-modified": last,
                "version": record.run_id,
                "oscal-version": _VERSION,
            },
            "import-ap": {"href": f"#{plan}"},
            "results": [result],
            "back-matter": {
                "resources": [
                    {"uuid": plan, "title": "What was asked: spec.json of the run", "rlinks": [{"href": "spec.json"}]},
                    {"uuid": _id(record, SEAL), "title": "The run's seal", "rlinks": [{"href": SEAL}]},
                ]
            },
        }
    }
    write_whole(out, json.dumps(value, ensure_ascii=False, indent=2).encode() + b"\n")
    return out


def _observation(record: RunRecord, one: Estimate) -> dict[str, Any]:
    ends = interval(one.low, one.high)
    said = f"{number(one.value)} {one.unit}{f', 95 % interval {ends}' if ends else ''}, n = {one.n}"
    known = {"value": repr(one.value), "unit": one.unit, "better": one.direction, "n": str(one.n), "basis": one.basis}
    ends_known = {name: repr(end) for name, end in (("low", one.low), ("high", one.high)) if end is not None}
    return {
        "uuid": _id(record, "observation", one.suite, one.task, one.metric),
        "title": f"{one.suite}/{one.task}/{one.metric}",
        "description": f"{_called(one.suite, one.task, one.metric)}: {said}",
        "props": [{"name": name, "ns": _SPACE, "value": told} for name, told in (known | ends_known).items() if told],
        "methods": ["TEST"],
        "relevant-evidence": [{"href": f"#{_id(record, SEAL)}", "description": "The sealed record of every answer"}],
        "collected": record.started_at.isoformat(),
    }


def _finding(record: RunRecord, verdict: Verdict, rule: RuleVerdict, seen: Sequence[Estimate]) -> dict[str, Any]:
    state, reason = _STATES.get(rule.verdict, ("not-satisfied", "other"))
    on = (rule.suite, rule.task, rule.metric)
    told: dict[str, Any] = {
        "uuid": _id(record, "finding", verdict.policy_sha256, verdict.baseline_run_id or "", rule.rule),
        "title": f"{verdict.policy}: {rule.rule}",
        "description": f"{_called(*on)}: {rule.verdict}: {sentence_of(rule.reason)}".rstrip(": "),
        "target": {
            "type": "objective-id",
            "target-id": f"rule-{_id(record, 'rule', verdict.policy_sha256, rule.rule)}",
            "description": f"The rule {rule.rule} of the policy {verdict.policy} ({verdict.policy_sha256})",
            "status": {"state": state, "reason": reason},
        },
    }
    if any((one.suite, one.task, one.metric) == on for one in seen):
        told["related-observations"] = [{"observation-uuid": _id(record, "observation", *on)}]
    return told


def _called(suite: str, task: str, metric: str) -> str:
    """What people call a score; its title is the name by which records know it."""
    folder = catalogue_folder(suite)
    on = [] if task == OVERALL else [naming(folder, "en")(task) if folder else task]
    return ", ".join([suite_title(suite, "en"), *on, metric_names("en")(metric)])


def _id(record: RunRecord, *parts: str) -> str:
    """An id of its own that is the same each time."""
    return str(uuid.uuid5(_NAMES, "\n".join((record.run_id, *parts))))
