"""A run's folder as rows of the store's tables."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Boolean, Double, Integer, Table

from harness.core.errors import HarnessError, RecordError
from harness.core.headlines import made_of
from harness.core.metrics import Undefined
from harness.core.scores import Estimate
from harness.core.text.hashing import digest
from harness.core.text.reasons import worded
from harness.decision.comparable import questions_of
from harness.decision.context.levels import chances, optima
from harness.decision.keys import Key, key_of
from harness.decision.scored import Scored
from harness.metrics.written import CHANCE
from harness.record import RunRecord, RunSpec
from harness.record.estimates import estimate_row
from harness.record.opening import read_json, sha256_of
from harness.record.seal import SEAL
from harness.record.spec import run_id_of
from harness.store import schema
from harness.store.values import pack, sample_errors
from harness.store.verdicts import verdict_rows

__all__ = ["Rows", "id_of", "rows_of", "seal_digest"]

Rows = dict[str, list[dict[str, Any]]]
"""By table: the rows of one run; that of `runs` alone has its id."""

_MAX = 2**63 - 1


def seal_digest(folder: Path) -> str | None:
    """SHA-256 of the run's seal; None for a run without one. Raises `RecordError`."""
    try:
        return sha256_of(folder / SEAL)
    except FileNotFoundError:
        return None


def rows_of(folder: Path) -> Rows:
    """All rows of a sealed run.

    One that can't be trusted, or can't be read, has a single row in `runs`: `status` is `failed` and `reason` says why.
    """
    try:
        record = RunRecord(folder)
        if reason := _distrust(record):
            return _failed(folder, reason)
        rows = _verified(record)
        for name, made in rows.items():
            for row in made:
                _check(schema.METADATA.tables[name], row)
    except HarnessError as error:
        return _failed(folder, str(error))
    except (AttributeError, KeyError, OSError, OverflowError, TypeError, ValueError) as error:
        return _failed(folder, f"is no record of this version: {type(error).__name__}: {error}")
    return rows


def _distrust(record: RunRecord) -> str | None:
    return "; ".join(record.verify()) or None


def _failed(folder: Path, reason: str) -> Rows:
    model = _claimed(folder).get("model")
    told = {"status": "failed", "reason": reason, "model": model if isinstance(model, str) else folder.name}
    return {"runs": [{"run_id": id_of(folder), **told}]}


def id_of(folder: Path) -> str:
    """The id of the run in the folder, by its spec; the folder's name where there is none that can be read."""
    claimed = _claimed(folder)
    try:
        return run_id_of(claimed) if claimed else folder.name
    except ValueError:
        return folder.name


def _claimed(folder: Path) -> dict[str, Any]:
    """What a record says of itself, which can't be trusted; empty where it can't be read."""
    try:
        claimed = read_json(folder / "spec.json")
    except (RecordError, OSError, ValueError):
        return {}
    return claimed if isinstance(claimed, dict) else {}


def _verified(record: RunRecord) -> Rows:
    estimates = record.estimate_list
    headlines = {one.suite: one for one in estimates if one.is_headline}
    parts = {suite: [(part.task, part.metric) for part in headline.parts] for suite, headline in headlines.items()}
    suites = list(_suites(record.spec, parts))
    levels = _levels(record, estimates)
    asked = questions_of(record.spec).to_json()
    evaluation = digest([asked, [[suite["suite"], suite["parts"]] for suite in suites]])
    told = {
        "status": "verified",
        "reason": None,
        "questions": json.dumps(asked, sort_keys=True),
        "evaluation_sha256": evaluation,
    }
    return {
        "runs": [{"run_id": record.run_id, **_run(record), **told}],
        "tasks": [_task(task) for task in record.spec.to_json()["tasks"]],
        "suites": suites,
        "estimates": [{**_estimate(one), **levels.get(key_of(one), {})} for one in estimates],
        "headline_values": list(_headline_values(record, parts)),
        **verdict_rows(record.folder),
    }


def _run(record: RunRecord) -> dict[str, Any]:
    spec, checkpoint, environment = record.spec, record.checkpoint, record.environment
    asked, computed = record.token_counts
    if environment.get("started_at") is not None:
        _ = record.started_at  # history can't be drawn of what is no date
    settings = (
        spec.kind,
        spec.dtype,
        spec.apply_chat_template,
        spec.labels,
        spec.source_language,
        spec.target_language,
    )
    return {
        "settings_sha256": digest([list(one) if isinstance(one, tuple) else one for one in settings]),
        **{name: checkpoint.get(name) for name in _FROM_CHECKPOINT},
        **{name: getattr(spec, name) for name in _FROM_SPEC},
        **{name: environment.get(name) for name in ("device_name", "platform", "started_at", "peak_memory_bytes")},
        "asked_token_count": asked,
        "computed_token_count": computed,
        "harness_version": spec.versions.get("responsible-eval-harness"),
        "harness_code": spec.versions.get("harness-code"),
        "is_partial": record.is_partial,
        "tags": json.dumps(spec.tags, ensure_ascii=False, sort_keys=True) if spec.tags else None,
    }


_FROM_CHECKPOINT = ("parent_fingerprint", "architecture", "origin", "parameter_count", "size_bytes", "bits_per_weight")
_FROM_SPEC = (
    "model",
    "fingerprint",
    "kind",
    "dtype",
    "device",
    "seed",
    "batch_tokens",
    "apply_chat_template",
    "meter",
    "region",
    "lineage",
    "step",
)


def _task(task: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{
            name: value
            for name, value in task.items()
            if name not in ("limit", "languages", "definition", "multiturn", "is_part")
        },
        "sample_limit": task["limit"],
    }


def _suites(spec: RunSpec, parts: Mapping[str, Sequence[tuple[str, str]]]) -> Iterator[dict[str, Any]]:
    for suite in sorted({task.suite for task in spec.tasks}):
        chosen = [task for task in spec.tasks if task.suite == suite]
        yield {
            "suite": suite,
            "parts": json.dumps([list(part) for part in parts.get(suite, ())]),
            "languages": ",".join(sorted({language for task in chosen for language in task.languages})),
        }


def _estimate(one: Estimate) -> dict[str, Any]:
    told = {**estimate_row(one), "is_headline": one.is_headline, "wording": worded(one.reason)}
    row = {column.name: told.get(column.name) for column in schema.estimates.columns}
    del row["run_id"], row["position"]
    return {**row, "signature": one.signature if one.is_headline else None}


def _levels(record: RunRecord, estimates: Sequence[Estimate]) -> dict[Key, dict[str, float | None]]:
    """What guessing would score and the best there can be, of headlines; only what they are made of is looked at."""
    headlines = [one for one in estimates if one.is_headline and one.value is not None]
    entering = made_of(headlines)
    tasks = {(suite, task) for suite, task, _ in entering}
    needed = [
        one
        for one in estimates
        if one.group is None
        and (
            (one.suite, one.task, one.metric) in entering
            or (one.metric == CHANCE.name and (one.suite, one.task) in tasks)
        )
    ]
    by_chance, best = chances(record, [*needed, *headlines]), optima(record, [*needed, *headlines])
    keys = map(key_of, headlines)
    return {key: {"chance": by_chance.get(key), "optimum": best.get(key)} for key in keys}


def _headline_values(record: RunRecord, parts: Mapping[str, Sequence[tuple[str, str]]]) -> Iterator[dict[str, Any]]:
    run = Scored(record)
    keys = {Key(suite, task, metric) for suite, used in parts.items() for task, metric in used}
    for key in sorted(keys & run.estimates.keys()):
        try:
            metric = run.metric(key)
            errors = sample_errors(metric, [score for score in run.scores_of(key) if score.invalid is None])
        except Undefined:  # then runs are compared by its standard error alone
            continue
        if errors is not None:
            yield {
                "suite": key.suite,
                "task": key.task,
                "metric": key.metric,
                "samples_sha256": errors.samples_sha256,
                "n": len(errors.values),
                "content": pack(errors),
            }


def _check(table: Table, row: Mapping[str, Any]) -> None:
    """Raise `TypeError` or `OverflowError` for what a column can't hold; databases differ in what they would do."""
    for name, value in row.items():
        kind = table.columns[name].type
        if value is None or isinstance(value, bytes):
            continue
        if isinstance(kind, Boolean):
            expected: tuple[type, ...] = (bool,)
        elif isinstance(kind, Integer):
            expected = (int,)
        elif isinstance(kind, Double):
            expected = (int, float)
        else:
            expected = (str,)
        if not isinstance(value, expected) or (bool not in expected and isinstance(value, bool)):
            raise TypeError(f"{name} is {type(value).__name__}")
        if (isinstance(value, int) and abs(value) > _MAX) or (isinstance(value, float) and not math.isfinite(value)):
            raise OverflowError(f"{name} is {value}")
