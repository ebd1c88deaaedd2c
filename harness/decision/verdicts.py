"""What a gate said of a run, kept beside the run and outside its seal: a record can be judged by many policies."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from harness.core.errors import RecordError
from harness.core.text.codec import Codec
from harness.core.text.display import elided, number, visible
from harness.core.text.hashing import SHORT, canonical_json
from harness.core.text.reasons import reworded, wording
from harness.record.files import make_folder, write_new
from harness.record.notebook.card import frame_card
from harness.record.opening import is_there, listed, read_json
from harness.record.spec import run_id_of

__all__ = [
    "FOLDER",
    "Outcome",
    "RuleVerdict",
    "Verdict",
    "decided_count",
    "kept_verdicts",
    "latest_verdicts",
    "read_verdicts",
    "write_verdict",
]

FOLDER = "gates"
FORMAT = 1
_ENDING = ".json"

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
    """What a whole policy said of a run; `decided_at` is UTC in ISO 8601.

    `smallest_decided` is the share of its rules that the policy wants decided before it lets a run pass.
    """

    run_id: str
    baseline_run_id: str | None
    policy: str
    policy_sha256: str
    decided_at: str
    verdict: Outcome
    rules: tuple[RuleVerdict, ...]
    smallest_decided: float = 0.0

    @property
    def frame(self) -> pd.DataFrame:
        """One row a rule, with the fields of `RuleVerdict` as columns."""
        return pd.DataFrame(
            [{**asdict(rule), "reason": str(rule.reason)} for rule in self.rules],
            columns=[one.name for one in fields(RuleVerdict)],
        )

    def _repr_html_(self) -> str:
        rows = self.frame[["verdict", "rule", "value", "low", "high", "bound", "reason"]].map(_shown)
        told = f"{decided_count(self.rules)} of {len(self.rules)} rules decided"
        return f"<p><b>{self.verdict}</b> ({told}), policy {escape(elided(self.policy))}</p>{frame_card(rows)}"


def _shown(value: object) -> str:
    if isinstance(value, str):
        return visible(value)
    return number(value) if isinstance(value, float) and not math.isnan(value) else ""


def decided_count(rules: Sequence[RuleVerdict]) -> int:
    """How many of the rules the data decided, either way."""
    return sum(rule.verdict in ("PASS", "FAIL") for rule in rules)


_VERDICTS = Codec(Verdict)


def write_verdict(folder: Path, verdict: Verdict) -> Path:
    """Keep a verdict in the run's folder, in a file of its own: nothing that a signature may cover is ever replaced.

    Its name begins with a number that counts the verdicts on the run. Raises `RecordError`.
    """
    gates = make_folder(folder / FOLDER)
    if gates.is_symlink():
        raise RecordError("is a link", place=gates, fix="Don't trust this record")
    against = f"-{verdict.baseline_run_id}" if verdict.baseline_run_id else ""
    rules = [{**asdict(rule), "wording": wording(reason=rule.reason)} for rule in verdict.rules]
    content = canonical_json({"format": FORMAT, **asdict(verdict), "rules": rules}) + b"\n"
    number = len(listed(gates, _ENDING)) + 1
    while True:
        path = gates / f"{number:04d}-{verdict.policy_sha256[:SHORT]}{against}{_ENDING}"
        try:
            write_new(path, content)
        except FileExistsError:  # another gate was faster, or a verdict was deleted
            number += 1
        else:
            return path


def kept_verdicts(folder: Path) -> Sequence[tuple[Path, Verdict]]:
    """The verdicts on the run in the folder with their files, the oldest first.

    Raises `RecordError` for a file that is none, or that speaks of another run.
    """
    paths = listed(folder / FOLDER, _ENDING)
    run_id = run_id_of(read_json(folder / "spec.json")) if paths and is_there(folder / "spec.json") else None
    return sorted(((path, _verdict(path, run_id)) for path in paths), key=lambda one: (one[1].decided_at, one[0].name))


def read_verdicts(folder: Path) -> Sequence[Verdict]:
    """The verdicts on the run in the folder, the oldest first. Raises as `kept_verdicts`."""
    return [verdict for _, verdict in kept_verdicts(folder)]


def latest_verdicts(folder: Path) -> Sequence[Verdict]:
    """The last verdict of each policy against each baseline, the oldest first. Raises as `kept_verdicts`."""
    last = {(one.policy_sha256, one.baseline_run_id): one for one in read_verdicts(folder)}
    return sorted(last.values(), key=lambda one: one.decided_at)


def _verdict(path: Path, run_id: str | None) -> Verdict:
    try:
        read: dict[str, Any] = read_json(path)
        if read.pop("format") != FORMAT:
            raise ValueError("another format")  # noqa: TRY301 - told like every other fault of the file
        said = [reworded(rule, rule.pop("wording", {})) for rule in read["rules"]]
        verdict = _VERDICTS.decode(read)
        if datetime.fromisoformat(verdict.decided_at).tzinfo is None:
            raise ValueError("a date without a zone")  # noqa: TRY301
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RecordError("is not a gate's verdict", place=path, fix="Delete it, and run the gate again") from error
    if run_id is not None and verdict.run_id != run_id:
        raise RecordError(f"is a verdict on another run, {verdict.run_id:.20}", place=path, fix="Delete it")
    rules = zip(verdict.rules, said, strict=True)
    return replace(verdict, rules=tuple(replace(rule, reason=one.get("reason", rule.reason)) for rule, one in rules))
