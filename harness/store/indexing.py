"""From run folders into the store: one run as it seals, or all of a folder."""

import logging
import os
import platform
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, delete, insert, select

from harness.core.errors import DamagedStoreError, HarnessError, RecordError
from harness.core.process.paths import is_folder
from harness.core.process.progress import Progress, Quiet
from harness.record.seal import SEAL
from harness.store import schema
from harness.store.rows import Rows, id_of, rows_of, seal_digest
from harness.store.store import NO_STORE, Store, locate, set_aside

__all__ = ["Indexed", "add_or_say", "add_run", "fill", "folder_of", "index_folder"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexed:
    """What came of indexing a folder: ids of the runs in it that verified, each once; folders of those that failed,
    with the reason, and of those that aren't finished; ids of those that left the store with their folder."""

    verified: tuple[str, ...]
    failed: Mapping[str, str]
    unfinished: tuple[str, ...]
    removed: tuple[str, ...]


def add_run(store: Store, folder: Path) -> str | None:
    """Put a run into the store, in place of what the store said of it; the reason where its record can't be trusted.

    The record is verified first. Where the store knows the same run from another folder, a verified record goes before
    one that isn't, and then the one that was started last. Raises `RecordError` for a run without a seal.
    """
    sealed = seal_digest(folder)
    if sealed is None:
        raise RecordError("the run is not finished", place=folder, fix="Run the same `harness eval` command again")
    rows = rows_of(folder)
    run = {"seal_sha256": sealed, **_place(store, folder), **rows["runs"][0]}
    with store.writing(run["run_id"]) as connection:
        if _goes_before(connection, run):
            _replace(connection, run, rows)
    reason: str | None = run["reason"]
    return reason


def add_or_say(named: str | None, folder: Path, say: Callable[[str], None]) -> None:
    """Put a run that was just sealed or judged into the store that is meant; where that fails, say how to mend it.

    The store follows from the records, so whatever is wrong with it is no reason for an evaluation or a gate to fail,
    or to end otherwise. A damaged one is built anew.
    """
    if named == NO_STORE:
        return
    try:
        url = locate(named, folder.parent)
        try:
            with Store(url) as store:
                add_run(store, folder)
        except DamagedStoreError as damage:
            _rebuild(url, folder.parent, damage, say)
    except Exception as error:
        if not isinstance(error, HarnessError):
            _log.debug("%s", traceback.format_exc())
        said = str(error) if isinstance(error, HarnessError) else f"{type(error).__name__}: {error}"
        where = f" --store {named}" if named else ""
        say(f"the run is kept, but the store lacks it: {said}; then `harness index {folder.parent}{where}`")


def fill(url: URL, folder: Path, progress: Progress | None = None) -> Indexed:
    """As `index_folder`, of the store that is at `url`; a damaged one is put aside and built anew, which is noted."""
    progress = progress or Quiet()
    try:
        with Store(url) as store:
            return index_folder(store, folder, progress)
    except DamagedStoreError as damage:
        return _rebuild(url, folder, damage, progress.note)


def _rebuild(url: URL, folder: Path, damage: DamagedStoreError, say: Callable[[str], None]) -> Indexed:
    aside = set_aside(url)
    with Store(url) as store:
        found = index_folder(store, folder)
    say(f"{damage.place}: was damaged ({damage.problem}), and is built anew from {folder}; the old one is {aside}")
    return found


def index_folder(store: Store, folder: Path, progress: Progress | None = None) -> Indexed:
    """Make the store say of the runs in `folder` what their records say, whatever it said before.

    Runs whose folder is gone leave it. Raises `RecordError` for a folder that can't be read, and `StoreError`.
    """
    progress = progress or Quiet()
    if not is_folder(folder):
        raise RecordError(
            "is not a folder of runs", place=folder, fix="Give the folder that `harness eval --out` named"
        )
    found = sorted(path.parent for path in folder.glob("*/spec.json"))
    found += sorted(path.parent for path in folder.glob(f"*/{SEAL}") if path.parent not in set(found))
    # A seal that is a link to nothing is a damaged record, not one that is still being made.
    sealed = [one for one in found if os.path.lexists(one / SEAL)]
    reasons: dict[str, str] = {}
    verified: dict[str, Path] = {}
    progress.begin(len(sealed))
    for one in sealed:
        if reason := add_run(store, one):
            reasons[one.name] = reason
        else:
            verified[id_of(one)] = one
        progress.advance()
    return Indexed(
        verified=tuple(verified),
        failed=reasons,
        unfinished=tuple(one.name for one in found if one not in sealed),
        removed=_remove_gone(store, folder, sealed),
    )


def folder_of(store: Store, host: str, folder: str) -> Path:
    """Where the record of a run is, as `runs.host` and `runs.folder` say; it may be on another machine."""
    return Path(folder) if host or store.path is None else store.path.parent / folder


def _place(store: Store, folder: Path) -> dict[str, str]:
    """Relative to the store's own file where that is above, so that both can be moved together."""
    absolute = folder.resolve()
    if store.path is not None and absolute.is_relative_to(root := store.path.parent.resolve()):
        return {"host": "", "folder": absolute.relative_to(root).as_posix()}
    return {"host": platform.node(), "folder": str(absolute)}


def _goes_before(connection: Connection, run: Mapping[str, Any]) -> bool:
    table = schema.runs
    known = connection.execute(
        select(table.c.host, table.c.folder, table.c.status, table.c.started_at).where(table.c.run_id == run["run_id"])
    ).one_or_none()
    if known is None or (known.host, known.folder) == (run["host"], run["folder"]):
        return True
    return _precedence(run) >= _precedence(known._asdict())


def _precedence(run: Mapping[str, Any]) -> tuple[bool, str, str, str]:
    return run["status"] == "verified", run.get("started_at") or "", run["host"], run["folder"]


def _replace(connection: Connection, run: Mapping[str, Any], rows: Rows) -> None:
    run_id = run["run_id"]
    connection.execute(delete(schema.runs).where(schema.runs.c.run_id == run_id))
    connection.execute(insert(schema.runs).values(**run))
    for name, made in rows.items():
        if name != "runs" and made:
            numbered = [{"run_id": run_id, "position": position, **row} for position, row in enumerate(made)]
            connection.execute(insert(schema.METADATA.tables[name]), numbered)


def _remove_gone(store: Store, folder: Path, sealed: list[Path]) -> tuple[str, ...]:
    here = {tuple(_place(store, one).values()) for one in sealed}
    parent = _place(store, folder / "run")
    table = schema.runs
    with store.writing(str(folder)) as connection:
        known = connection.execute(select(table.c.run_id, table.c.host, table.c.folder).order_by(table.c.run_id))
        gone = [
            run.run_id
            for run in known
            if run.host == parent["host"]
            and Path(run.folder).parent == Path(parent["folder"]).parent
            and (run.host, run.folder) not in here
        ]
        for run_id in gone:
            connection.execute(delete(table).where(table.c.run_id == run_id))
    return tuple(gone)
