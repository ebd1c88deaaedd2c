"""What a gate said of a run, kept beside the run and outside its seal: a record can be judged by many policies."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from harness.core.errors import RecordError
from harness.core.hashing import SHORT, canonical_json
from harness.core.jsontext import parse_json
from harness.record.files import make_folder, write_whole

__all__ = ["FOLDER", "Outcome", "RuleVerdict", "Verdict", "read_verdicts", "verdict_path", "write_verdict"]

FOLDER = "gates"
FORMAT = 1

Outcome = Literal["PASS", "FAIL", "INCONCLUSIVE", "ERROR"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleVerdict:
    """What one rule said: the number that it looked at, with its interval and n, and what it was held against.

    `bound` is the threshold, `margin` what may be lost to the baseline; `n_needed` says how many samples would decide
    where the rule could not. Values that don't exist are None, and `reason` says why, or how it was decided.
    """

    rule: str
    kind: str
    severity: Literal["block", "warn"]
    suite: str
    task: str
    metric: str
    group: str | None = None
    verdict: Outcome
    value: float | None = None
    low: float | None = None
    high: float | None = None
    bound: float | None = None
    margin: float | None = None
    n: int | None = None
    n_needed: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a whole policy said of a run; `decided_at` is UTC in ISO 8601."""

    run_id: str
    baseline_run_id: str | None
    policy: str
    policy_sha256: str
    decided_at: str
    verdict: Outcome
    rules: tuple[RuleVerdict, ...]


def write_verdict(folder: Path, verdict: Verdict) -> Path:
    """Keep a verdict in the run's folder; it replaces that of the same policy and baseline. Raises `RecordError`."""
    path = verdict_path(folder, verdict)
    make_folder(path.parent)
    write_whole(path, canonical_json({"format": FORMAT, **asdict(verdict)}) + b"\n")
    return path


def verdict_path(folder: Path, verdict: Verdict) -> Path:
    """Where the verdict of a run stands, by policy and baseline."""
    against = f"-{verdict.baseline_run_id}" if verdict.baseline_run_id else ""
    return folder / FOLDER / f"{verdict.policy_sha256[:SHORT]}{against}.json"


def read_verdicts(folder: Path) -> Sequence[Verdict]:
    """The verdicts on the run in the folder, the oldest first. Raises `RecordError` for a file that is none."""
    found = [_verdict(path) for path in sorted((folder / FOLDER).glob("*.json"))]
    return sorted(found, key=lambda one: one.decided_at)


def _verdict(path: Path) -> Verdict:
    try:
        read: dict[str, Any] = parse_json(path.read_bytes())
        if read.pop("format") != FORMAT:
            raise ValueError("another format")  # noqa: TRY301 - told like every other fault of the file
        return Verdict(**{**read, "rules": tuple(RuleVerdict(**rule) for rule in read["rules"])})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RecordError("is not a gate's verdict", place=path, fix="Delete it, and run the gate again") from error
