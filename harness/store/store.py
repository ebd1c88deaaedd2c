"""Where the store is, and how it is opened: one SQLite file, or a PostgreSQL database that a team shares."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from harness.core.errors import DamagedStoreError, InputError, StoreError
from harness.store.migrations import is_current, migrate
from harness.store.text import escape

__all__ = ["FILE_NAME", "NO_STORE", "VARIABLE", "Store", "locate", "set_aside", "shown_place"]

FILE_NAME = "index.sqlite"
"""The store of a folder of runs, where no other is named."""

NO_STORE = "none"
"""What to name for no store at all."""

VARIABLE = "HARNESS_STORE"
"""The environment variable that names the store."""

_BUSY_S = 30
_LOCKS = 0x6861726E
"""Tells our advisory locks in PostgreSQL from those of whatever else lives in the database."""


def locate(given: str | None, records: Path) -> URL:
    """The store that is meant: `given`, else that of the environment, else the SQLite file in the folder of runs.

    A text without `://` is the path of a SQLite file. Raises `InputError` for what is neither that nor PostgreSQL,
    and where PostgreSQL's driver isn't installed.
    """
    named = given or os.environ.get(VARIABLE)
    if not named:
        return _file(records / FILE_NAME)
    if "://" not in named:
        return _file(Path(named))
    try:
        url = make_url(named)
    except (ArgumentError, ValueError) as error:
        raise InputError("is not a database URL", place="--store", fix=_FORMS) from error
    match url.get_backend_name():
        case "sqlite" if url.database and url.database != ":memory:":
            return _file(Path(url.database))
        case "postgresql" | "postgres":
            return _with_driver(url.set(drivername="postgresql+psycopg"))
    raise InputError("is neither a SQLite file nor PostgreSQL", place=f"--store {shown_place(url)}", fix=_FORMS)


_FORMS = "Give the path of a file, or postgresql://USER@HOST/DATABASE"


def _file(path: Path) -> URL:
    return URL.create("sqlite", database=str(path.absolute()))


def _with_driver(url: URL) -> URL:
    try:
        url.get_dialect().import_dbapi()
    except (ImportError, NoSuchModuleError) as error:
        raise InputError(
            "the PostgreSQL driver isn't installed",
            place=f"--store {shown_place(url)}",
            fix="pip install 'responsible-eval-harness[postgres]'",
        ) from error
    return url


def shown_place(url: URL) -> str:
    """The URL as people may see it: without its password."""
    shown: str = url.database or "" if url.get_backend_name() == "sqlite" else url.render_as_string()
    return shown


class Store:
    """An index of sealed records, opened. Raises `StoreError` where it can't be.

    `create` makes or upgrades it where needed; without it, a store that isn't there is an error, and nothing is
    written. A store of one version behind can be read only after it was upgraded by whoever may write.
    """

    def __init__(self, url: URL, *, create: bool = True) -> None:
        self.place = shown_place(url)
        self.path = Path(url.database or "") if url.get_backend_name() == "sqlite" else None
        if self.path is not None:
            _refuse_other_than_a_file(self.path, self.place, missing_ok=create)
        self._engine = _engine(url)
        with self._translated():
            if create:
                self._upgrade()
            else:
                self._expect_current()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one state of the store throughout. Raises `StoreError`."""
        engine = self._engine
        if self.path is None:
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        with self._translated(), engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self, about: str) -> Iterator[Connection]:
        """A transaction that is the only one to write `about` something, and that an exception undoes.

        SQLite lets one writer in at a time and the others wait (up to 30 s); on PostgreSQL those wait that write about
        the same, such as a run. So none fails because of another. Raises `StoreError`.
        """
        with self._translated(), self._engine.execution_options(writes=True).begin() as connection:
            if self.path is None:
                connection.execute(
                    text("SELECT pg_advisory_xact_lock(:harness, hashtext(:about))"),
                    {"harness": _LOCKS, "about": escape(about)},
                )
            yield connection

    def close(self) -> None:
        """Let the database go."""
        self._engine.dispose()

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _upgrade(self) -> None:
        if self.path is not None:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                # SQLite doesn't wait for others while a file is switched to its write-ahead log: it fails at once.
                with FileLock(f"{self.path}.lock", timeout=_BUSY_S):
                    self._make_current()
            except OSError as error:
                raise StoreError(
                    f"can't be written ({error.strerror or error})", place=self.place, fix=_ELSEWHERE
                ) from error
        else:
            self._make_current()

    def _make_current(self) -> None:
        if self.path is not None:
            raw = self._engine.raw_connection()
            raw.execute("PRAGMA journal_mode = WAL")
            raw.close()
        with self.reading() as connection:
            if is_current(connection, self.place):
                return
        with self.writing("schema") as connection:
            migrate(connection, self.place)

    def _expect_current(self) -> None:
        with self.reading() as connection:
            if not is_current(connection, self.place):
                raise StoreError(
                    "is empty, or was made by an older version of the harness", place=self.place, fix=_FILL
                )

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn what the database says into one clear `StoreError`."""
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error) as error:
            cause = getattr(error, "orig", None) or error
            said = f"the database refuses: {(str(cause).strip().splitlines() or [type(cause).__name__])[0]}"
            if self.path is not None and _is_damage(cause, self.path):
                raise DamagedStoreError(said, place=self.place, fix=_FILL) from error
            raise StoreError(said, place=self.place, fix=_ELSEWHERE) from error


def set_aside(url: URL) -> Path:
    """Give the damaged file of a store another name, so that a new one can be made in its place; that name.

    Nothing is deleted: what was named may be another's. Raises `StoreError` for what never was a store by its name and
    first bytes, and where the file can't be renamed.
    """
    path = Path(url.database or "")
    try:
        with path.open("rb") as stream:
            begins = stream.read(len(_MAGIC))
        if begins != _MAGIC and path.suffix not in _SUFFIXES:
            raise StoreError("is not a SQLite file", place=path, fix="Name another file with --store or HARNESS_STORE")
        aside = path.with_name(f"{path.name}.damaged")
        for more in ("-wal", "-shm", ""):
            one = path.with_name(path.name + more)
            if more == "" or one.exists():
                one.replace(aside.with_name(aside.name + more))
    except OSError as error:
        raise StoreError(
            f"is damaged, and can't be moved aside ({error.strerror})", place=path, fix=_ELSEWHERE
        ) from error
    return aside


_MAGIC = b"SQLite format 3\0"
_SUFFIXES = (".sqlite", ".sqlite3", ".db")
_UNDAMAGED = frozenset(
    (
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_AUTH,
        sqlite3.SQLITE_TOOBIG,
    )
)
"""Primary codes of what SQLite refuses for a reason outside of the file."""


def _is_damage(error: object, path: Path) -> bool:
    """Whether SQLite complains of what the file holds, such as a table that is gone."""
    code = getattr(error, "sqlite_errorcode", None)
    return (
        isinstance(error, sqlite3.DatabaseError)
        and code is not None
        and code & 0xFF not in _UNDAMAGED
        and _has_bytes(path)
    )


def _has_bytes(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def _refuse_other_than_a_file(path: Path, place: str, *, missing_ok: bool) -> None:
    """SQLite would wait for ever at a pipe, and write into a device."""
    try:
        if not path.exists():
            if not missing_ok:
                raise StoreError("there is no store", place=place, fix=_FILL)
        elif not path.is_file():
            raise StoreError("is not a file", place=place, fix=_ELSEWHERE)
    except OSError as error:
        raise StoreError(f"can't be read ({error.strerror})", place=place, fix=_ELSEWHERE) from error


_FILL = "`harness index FOLDER` fills it from a folder of runs"
_ELSEWHERE = "Mend that, or name another store with --store or HARNESS_STORE"


def _engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(url, connect_args={"timeout": _BUSY_S, "isolation_level": None})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: object, _record: object) -> None:
    connection.execute("PRAGMA foreign_keys = ON")  # type: ignore[attr-defined]  # sqlite3.Connection


def _begin(connection: Connection) -> None:
    """A writer takes its turn at once: one that reads first and writes then fails where another was faster."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
