"""Where the store is, and how it is opened: one SQLite file, or a PostgreSQL database that a team shares."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from harness.core.errors import InputError, StoreError
from harness.store.migrations import is_current, migrate
from harness.store.text import escape

__all__ = ["FILE_NAME", "NO_STORE", "VARIABLE", "Store", "locate"]

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
        raise InputError("is no database URL", place="--store", fix=_FORMS) from error
    match url.get_backend_name():
        case "sqlite" if url.database and url.database != ":memory:":
            return _file(Path(url.database))
        case "postgresql" | "postgres":
            return _with_driver(url.set(drivername="postgresql+psycopg"))
    raise InputError("is neither a SQLite file nor PostgreSQL", place=f"--store {_shown(url)}", fix=_FORMS)


_FORMS = "Give the path of a file, or postgresql://USER@HOST/DATABASE"


def _file(path: Path) -> URL:
    return URL.create("sqlite", database=str(path.absolute()))


def _with_driver(url: URL) -> URL:
    try:
        url.get_dialect().import_dbapi()
    except (ImportError, NoSuchModuleError) as error:
        raise InputError(
            "the PostgreSQL driver isn't installed",
            place=f"--store {_shown(url)}",
            fix="pip install 'responsible-eval-harness[postgres]'",
        ) from error
    return url


def _shown(url: URL) -> str:
    """The URL as people may see it: without its password."""
    shown: str = url.database or "" if url.get_backend_name() == "sqlite" else url.render_as_string()
    return shown


class Store:
    """An index of sealed records, opened. Raises `StoreError` where it can't be.

    `create` makes or upgrades it where needed; without it, a store that isn't there is an error, and nothing is
    written. A store of one version behind can be read only after it was upgraded by whoever may write.
    """

    def __init__(self, url: URL, *, create: bool = True) -> None:
        self.place = _shown(url)
        self.path = Path(url.database or "") if url.get_backend_name() == "sqlite" else None
        if self.path is not None and not create and not self.path.exists():
            raise StoreError("there is no store", place=self.place, fix=_FILL)
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
                raise StoreError("is not filled, or of an older version of the harness", place=self.place, fix=_FILL)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn what the database says into one clear `StoreError`."""
        try:
            yield
        except SQLAlchemyError as error:
            said = str(getattr(error, "orig", None) or error).strip().splitlines()
            raise StoreError(f"the database refuses: {said[0]}", place=self.place, fix=_ELSEWHERE) from error


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
