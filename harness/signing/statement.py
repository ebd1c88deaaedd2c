"""What is signed: in-toto statements about a run, about a gate's verdict on it, and about a file made from it.

in-toto Attestation Framework, Statement v1: subjects are named digests, and the predicate says something of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from harness.core.scores import Estimate
from harness.decision.verdicts import FOLDER, Verdict, kept_verdicts
from harness.record import RunRecord
from harness.record.opening import is_there, sha256_of
from harness.record.seal import SEAL, read_seal
from harness.signing.keys import PublicKey

__all__ = ["FILE_PREDICATE", "RUN_PREDICATE", "VERDICT_PREDICATE", "about_file", "about_run", "about_verdict"]

STATEMENT = "https://in-toto.io/Statement/v1"
RUN_PREDICATE = "urn:responsible-eval-harness:run:v1"
FILE_PREDICATE = "urn:responsible-eval-harness:file:v1"
VERDICT_PREDICATE = "https://in-toto.io/attestation/test-result/v0.1"

_LOG = "run.log"
_RESULTS = {"PASS": "PASSED", "INCONCLUSIVE": "WARNED", "FAIL": "FAILED", "ERROR": "FAILED"}
_HEADLINE = ("suite", "task", "metric", "value", "stderr", "low", "high", "n", "unit", "direction", "target", "basis")


def about_run(record: RunRecord, signer: PublicKey) -> dict[str, Any]:
    """The statement about a sealed run: every file of it, all that it was made from, and what came out.

    Subjects with a colon in their name are no files of the run's folder: `checkpoint:` the files of the model,
    `data:`, `definition:`, `requests:` and `code:` those of a task (digests as in `spec.json`).
    """
    folder, seal = record.folder, read_seal(record.folder)
    verdicts = kept_verdicts(folder)
    beside = [path for path in (folder / SEAL, folder / _LOG, *(path for path, _ in verdicts)) if is_there(path)]
    subjects = [_subject(name, sha256) for name, sha256 in seal.files.items()]
    subjects += [_subject(path.relative_to(folder).as_posix(), sha256_of(path)) for path in beside]
    subjects += _origins(record)
    checkpoint = record.checkpoint
    predicate = {
        "run_id": record.run_id,
        "spec": record.spec.to_json(),
        "checkpoint": {name: checkpoint.get(name) for name in ("ref", "origin", "architecture", "fingerprint")},
        "started_at": record.environment.get("started_at"),
        "samples": {"count": seal.sample_count, "root": seal.root},
        "headlines": [
            {name: value for name, value in asdict(one).items() if name in _HEADLINE}
            for one in _headlines(record.estimate_list)
        ],
        "verdicts": [_summary(path, one) for path, one in verdicts],
    }
    return _statement(RUN_PREDICATE, subjects, predicate, signer)


def about_verdict(record: RunRecord, path: Path, verdict: Verdict, signer: PublicKey) -> dict[str, Any]:
    """The statement that a gate's verdict in the file `path` is, for readers of in-toto's test results.

    The tests are the policy's rules. INCONCLUSIVE is WARNED, ERROR is FAILED.
    """
    names: dict[str, list[str]] = {"PASSED": [], "WARNED": [], "FAILED": []}
    for rule in verdict.rules:
        names[_RESULTS[rule.verdict]].append(rule.rule)
    subjects = [
        _subject(path.relative_to(record.folder).as_posix(), sha256_of(path)),
        _subject(SEAL, sha256_of(record.folder / SEAL)),
        *(one for one in _origins(record) if one["name"].startswith("checkpoint:")),
    ]
    predicate = {
        "result": _RESULTS[verdict.verdict],
        "configuration": [_subject(verdict.policy, verdict.policy_sha256)],
        "passedTests": names["PASSED"],
        "warnedTests": names["WARNED"],
        "failedTests": names["FAILED"],
        "verdict": verdict.verdict,
        "run_id": verdict.run_id,
        "baseline_run_id": verdict.baseline_run_id,
        "decided_at": verdict.decided_at,
    }
    return _statement(VERDICT_PREDICATE, subjects, predicate, signer)


def about_file(record: RunRecord, path: Path, signer: PublicKey) -> dict[str, Any]:
    """The statement about a file that was made from a run, such as its report."""
    subjects = [_subject(path.name, sha256_of(path)), _subject(SEAL, sha256_of(record.folder / SEAL))]
    return _statement(FILE_PREDICATE, subjects, {"run_id": record.run_id}, signer)


def _statement(
    kind: str, subjects: Sequence[dict[str, Any]], predicate: dict[str, Any], signer: PublicKey
) -> dict[str, Any]:
    signed = {
        "signed_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "signer": {"keyid": signer.id, "public_key": signer.pem},
        "harness_version": version("responsible-eval-harness"),
    }
    return {
        "_type": STATEMENT,
        "subject": list(subjects),
        "predicateType": kind,
        "predicate": {**predicate, **signed},
    }


def _origins(record: RunRecord) -> Iterator[dict[str, Any]]:
    """What the run was made from: model, tokenizer and template by file, and each task's data and words."""
    for name, sha256 in sorted(record.checkpoint.get("files", {}).items()):
        yield _subject(f"checkpoint:{name}", sha256)
    for task in record.spec.tasks:
        digests = {
            "data": task.data_sha256,
            "definition": task.definition_sha256,
            "requests": task.requests_sha256,
            "code": task.code_sha256,
        }
        for what, sha256 in digests.items():
            if sha256 is not None:
                yield _subject(f"{what}:{task.suite}/{task.task}", sha256)


def _headlines(estimates: Sequence[Estimate]) -> list[Estimate]:
    """One score a suite; where no suite has one, every score that is no group's."""
    of_suites = [one for one in estimates if one.is_headline]
    return of_suites or [one for one in estimates if one.group is None]


def _summary(path: Path, verdict: Verdict) -> dict[str, Any]:
    return {
        "file": f"{FOLDER}/{path.name}",
        "sha256": sha256_of(path),
        "verdict": verdict.verdict,
        "policy": verdict.policy,
        "policy_sha256": verdict.policy_sha256,
        "decided_at": verdict.decided_at,
    }


def _subject(name: str, sha256: str) -> dict[str, Any]:
    return {"name": name, "digest": {"sha256": sha256}}
