"""What the leaderboard shows: from the store (and, for single samples, from records) to frames. Nothing is written.

    open_store(store, records)       the store that `--store` and `--records` mean; raises `HarnessError`
    checkpoints(store)               one row a checkpoint and settings (its latest verified run), and runs that failed
    scores(store, run_ids)           one row a run and suite: the headline with its error
    comparability(store, run_ids)    one row a run: None, or why it is set apart
    ranking(store, run_ids, scored, weights) ranks, weighted score, formula in words
    estimates(store, run_ids, ...)   one row an estimate of these runs
    verdicts(store, run_ids)         one row a gate's verdict, newest first
    verdict_rules(store, run_ids)    one row a rule of these
    find_run(store, name)            the run of this id or beginning of an id
    record(store, run_id, records)   its `RunRecord`, verified, for what only the record knows

Single samples are in `leaderboard.data.samples`: `tasks_of`, `samples_page`, `sample`, `flips`.

Every function takes an open `Store` first and reads one state of it. Frames have the columns that the function names,
in this order, also where there are no rows; what is absent is None (NaN in number columns), never 0.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import Boolean, ColumnElement, Connection, Double, Integer, Select, func, select
from sqlalchemy.types import TypeEngine

from harness.core.errors import InputError, RecordError, UnknownName
from harness.record import RunRecord
from harness.record.opening import is_there
from harness.record.parquet import check_table
from harness.record.samples import TABLES
from harness.store import Store, folder_of, locate
from harness.store.schema import estimates as _estimates
from harness.store.schema import headline_values as _values
from harness.store.schema import runs as _runs
from harness.store.schema import suites as _suites
from harness.store.schema import verdict_rules as _rules
from harness.store.schema import verdicts as _verdicts
from harness.store.values import unpack
from leaderboard.data.comparability import Asked, set_apart
from leaderboard.data.pairs import Part
from leaderboard.data.ranking import Ranking, rank

__all__ = [
    "CHECKPOINTS",
    "asked",
    "checkpoints",
    "comparability",
    "estimates",
    "open_store",
    "part_estimates",
    "ranking",
    "record",
    "run_named",
    "scores",
    "short_name",
    "verdict_rules",
    "verdicts",
]


def open_store(store: str | None, records: Path = Path("runs")) -> Store:
    """The store that is named, or that of the environment, or that of the folder `records`; it is not created.

    Raises `StoreError` where there is none (it names the command that fills it), `InputError` for a name that is none.
    """
    return Store(locate(store, records), create=False)


def checkpoints(store: Store, *, every_run: bool = False) -> pd.DataFrame:
    """One row a run: the columns of `CHECKPOINTS`, newest first.

    Of the verified runs of one checkpoint (fingerprint), the same settings (kind, dtype, chat template, labels,
    languages) and the same questions only the latest, unless `every_run`; and every run whose record fails (`status`
    says so, `reason` why). `name` is short: the last part of a path. `suites` and `languages` are lists. `verdict`
    is that of the last gate.
    """
    latest = func.row_number().over(
        partition_by=(_runs.c.status, _runs.c.fingerprint, _runs.c.settings_sha256, _runs.c.evaluation_sha256),
        order_by=(_runs.c.started_at.desc(), _runs.c.run_id),
    )
    place = select(_runs, latest.label("place")).subquery()
    query = select(place)
    if not every_run:
        query = query.where((place.c.place == 1) | (place.c.status != "verified"))
    order = (place.c.started_at.desc().nulls_last(), place.c.run_id)
    with store.reading() as connection:
        rows = _read(connection, query.order_by(*order))
        asked = select(_suites.c.run_id, _suites.c.suite, _suites.c.languages)
        if not every_run:
            asked = asked.where(_suites.c.run_id.in_(rows["run_id"].tolist()))
        suites, languages = _listed(map(tuple, connection.execute(asked)))
        decided = _read(connection, select(_verdicts).order_by(_verdicts.c.decided_at, _verdicts.c.position))
    rows["name"] = [short_name(model) for model in rows["model"]]
    rows["suites"] = [sorted(suites.get(run_id, ())) for run_id in rows["run_id"]]
    rows["languages"] = [sorted(languages.get(run_id, ())) for run_id in rows["run_id"]]
    last = decided.drop_duplicates("run_id", keep="last").set_index("run_id")
    for column in ("verdict", "policy", "decided_at"):
        named = column if column == "verdict" else f"verdict_{'at' if column == 'decided_at' else column}"
        rows[named] = [last[column].get(run_id) for run_id in rows["run_id"]]
    return rows[list(CHECKPOINTS)]


CHECKPOINTS: Sequence[str] = (
    *("run_id", "name", "status", "reason", "started_at", "suites", "languages"),
    *("verdict", "verdict_policy", "verdict_at"),
    *(column.name for column in _runs.columns if column.name not in ("run_id", "status", "reason", "started_at")),
)
"""Columns of `checkpoints`: those of the table `runs` (see `harness.store.schema`) and six more."""


def scores(store: Store, run_ids: Sequence[str]) -> pd.DataFrame:
    """One row a run and suite: its one score (headline) with everything that belongs to it.

    Columns: run_id, suite, metric, value, stderr, low, high, confidence, interval, n, invalid_count, tie_count, unit,
    direction, target, basis, signature, reason, applies. A suite without a headline has no row.
    """
    table = _estimates
    with store.reading() as connection:
        found = _read(connection, _of(select(table).where(table.c.is_headline.is_(True)), table.c.run_id, run_ids))
    return found.drop(columns=["position", "is_headline", "task", "group"])


def estimates(
    store: Store,
    run_ids: Sequence[str],
    *,
    suite: str | None = None,
    task: str | None = None,
    metric: str | None = None,
    groups: bool = False,
) -> pd.DataFrame:
    """One row an estimate of these runs, in their order: run_id and the fields of `Estimate`.

    `signature` is there for headlines only (the record has the others). Rows of single groups only with `groups`.
    """
    table = _estimates
    query = select(table)
    for column, wanted in ((table.c.suite, suite), (table.c.task, task), (table.c.metric, metric)):
        if wanted is not None:
            query = query.where(column == wanted)
    if not groups:
        query = query.where(table.c.group.is_(None))
    with store.reading() as connection:
        return _read(connection, _of(query, table.c.run_id, run_ids)).drop(columns="position")


def comparability(store: Store, run_ids: Sequence[str], *, reference: str | None = None) -> pd.DataFrame:
    """One row a run: run_id, apart (None where it ranks, else why not), reference (the run that it's held against).

    See `leaderboard.data.comparability.set_apart`.
    """
    return set_apart(asked(store, run_ids), reference)


def asked(store: Store, run_ids: Sequence[str]) -> dict[str, Asked]:
    """By run, in the order given: what it was asked; nothing for a run whose record can't be trusted."""
    of_suites = (_suites.c.run_id, _suites.c.suite, _suites.c.parts)
    verified = select(_runs.c.run_id, _runs.c.questions).where(_runs.c.status == "verified")
    with store.reading() as connection:
        questions = dict(map(tuple, connection.execute(verified.where(_runs.c.run_id.in_(run_ids)))))
        listed = connection.execute(_of(select(*of_suites), _suites.c.run_id, run_ids)).all()
    parts: dict[str, list[tuple[str, str]]] = {}
    for run_id, suite, made_of in listed:
        parts.setdefault(run_id, []).append((suite, made_of))
    return {run_id: Asked(questions[run_id], tuple(parts.get(run_id, ()))) for run_id in run_ids if run_id in questions}


def ranking(store: Store, run_ids: Sequence[str], scored: pd.DataFrame, weights: Mapping[str, float]) -> Ranking:
    """Ranks of runs that compare, by weighted score; one suite alone with a weight ranks by that dimension.

    `scored` is what `scores` says of these runs. See `leaderboard.data.ranking.Ranking`.
    """
    return rank(run_ids, scored, part_estimates(store, run_ids, list(weights)), weights)


def part_estimates(
    store: Store, run_ids: Sequence[str], suites: Sequence[str]
) -> dict[str, dict[tuple[str, str], Part]]:
    """By run: the parts of its headlines by suite and task, with the shares of their samples where they have such."""
    with store.reading() as connection:
        asked = _read(connection, _of(select(_suites), _suites.c.run_id, run_ids))
        made = _read(connection, _of(select(_values).where(_values.c.suite.in_(suites)), _values.c.run_id, run_ids))
        table = _estimates
        columns = (
            table.c.run_id,
            table.c.suite,
            table.c.task,
            table.c.metric,
            table.c.stderr,
            table.c.n,
            table.c.applies,
        )
        query = select(*columns).where(table.c.suite.in_(suites), table.c.group.is_(None), table.c.value.is_not(None))
        found = _read(connection, _of(query, table.c.run_id, run_ids, order=(table.c.run_id,)))
    keys = ("run_id", "suite", "task", "metric")
    errors = {
        tuple(row[key] for key in keys): unpack(row["samples_sha256"], row["content"])
        for row in made.to_dict("records")
    }
    parts: dict[str, dict[tuple[str, str], Part]] = {run_id: {} for run_id in run_ids}
    named = {
        (row["run_id"], row["suite"], *part): 1 / len(used)
        for row in asked.to_dict("records")
        for used in [json.loads(row["parts"])]
        for part in used
    }
    for row in found.to_dict("records"):
        key = tuple(row[name] for name in keys)
        if key in named:
            parts[row["run_id"]][row["suite"], row["task"]] = Part(
                coefficient=named[key],
                stderr=None if pd.isna(row["stderr"]) else float(row["stderr"]),
                n=int(row["n"]),
                errors=errors.get(key),
            )
    return parts


def verdicts(store: Store, run_ids: Sequence[str]) -> pd.DataFrame:
    """One row a gate's verdict, newest first: the columns of the table `verdicts`."""
    query = _of(
        select(_verdicts),
        _verdicts.c.run_id,
        run_ids,
        order=(_verdicts.c.decided_at.desc(), _verdicts.c.position.desc(), _verdicts.c.run_id),
    )
    with store.reading() as connection:
        return _read(connection, query)


def verdict_rules(store: Store, run_ids: Sequence[str]) -> pd.DataFrame:
    """One row a rule that a gate decided, in its order: the columns of `verdict_rules`; `verdict_position` is the
    `position` of its verdict in `verdicts`."""
    with store.reading() as connection:
        return _read(connection, _of(select(_rules), _rules.c.run_id, run_ids))


def run_named(store: Store, name: str) -> dict[str, Any]:
    """The run whose id is `name`, or the only one whose id begins so: its row of the table `runs`, and `name`.

    Raises `UnknownName`, and `InputError` where several begin so.
    """
    with store.reading() as connection:
        known = list(connection.execute(select(_runs.c.run_id)).scalars())
        matching = [run_id for run_id in known if run_id == name] or [one for one in known if one.startswith(name)]
        if not matching:
            raise UnknownName("run in the store", name, known)
        if len(matching) > 1:
            raise InputError(f"begins {len(matching)} ids of runs", place=name or "''", fix="Give more of the id")
        row = connection.execute(select(_runs).where(_runs.c.run_id == matching[0])).mappings().one()
    return {**row, "name": short_name(row["model"])}


def record(store: Store, run_id: str, records: Path | None = None) -> RunRecord:
    """The record of a run, verified now: from `records`, if it is there, else from where it was when it was indexed.

    Raises `RecordError` where it isn't on this machine, or was changed.
    """
    run = run_named(store, run_id)
    places = [*([] if records is None else [records / run["run_id"]]), folder_of(store, run["host"], run["folder"])]
    sealed = [RunRecord(place) for place in places if is_there(place / "seal.json")]
    found = next((one for one in sealed if one.run_id == run["run_id"]), None)
    if found is None:
        where = f" (it was on {run['host']})" if run["host"] else ""
        raise RecordError(
            f"the record isn't here{where}", place=places[-1], fix="Give the folder of runs with --records"
        )
    if changed := found.verify():
        raise RecordError("; ".join(changed), place=found.folder, fix="Do not rely on its scores")
    for table in TABLES:
        if is_there(path := found.folder / f"{table}.parquet"):
            check_table(path)  # DuckDB reads them by their paths
    return found


def short_name(model: str) -> str:
    """What a model goes by in a narrow column: the last part of a path, anything else as it is."""
    if model.startswith(("/", ".", "~")) or (len(model) > 2 and model[1:3] == ":\\"):
        return model.replace("\\", "/").rstrip("/").rpartition("/")[2] or model
    return model


def _of(
    query: Select[Any],
    column: ColumnElement[str],
    run_ids: Sequence[str],
    order: Sequence[ColumnElement[Any]] | None = None,
) -> Select[Any]:
    """Only of these runs, in the order of their rows."""
    table = query.get_final_froms()[0]
    return query.where(column.in_(run_ids)).order_by(*(order or (column, table.c.position)))


def _read(connection: Connection, query: Select[Any]) -> pd.DataFrame:
    """Rows as a frame: whole numbers and truth values that may be absent, floats with NaN, texts with None."""
    result = connection.execute(query)
    # Plain tuples: pandas takes the `dtype` of a row, which is a column of ours, for the row's own.
    rows = [tuple(row) for row in result]
    frame = pd.DataFrame(rows, columns=list(result.keys()), dtype=object)
    return frame.astype({column.name: _dtype(column.type) for column in query.selected_columns})


def _dtype(kind: TypeEngine[Any]) -> str:
    match kind:
        case Boolean():
            return "boolean"
        case Integer():
            return "Int64"
        case Double():
            return "float64"
    return "object"


def _listed(asked: Iterable[Sequence[str]]) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """The suites and the languages of each run."""
    suites: dict[str, set[str]] = {}
    languages: dict[str, set[str]] = {}
    for run_id, suite, spoken in asked:
        suites.setdefault(run_id, set()).add(suite)
        languages.setdefault(run_id, set()).update(name for name in spoken.split(",") if name)
    return suites, languages
