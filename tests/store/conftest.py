"""Each store test runs on SQLite and on PostgreSQL."""

from collections.abc import Callable, Iterator

import pytest

from harness.store import Store, locate
from tests.store.databases import emptied, postgres_server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server for the whole session."""
    with postgres_server(tmp_path_factory.mktemp("pg")) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def named(request: pytest.FixtureRequest, tmp_path) -> str:
    """What a user gives as `--store`: a database of this kind that is still empty."""
    if request.param == "sqlite":
        return str(tmp_path / "elsewhere" / "index.sqlite")
    return emptied(request.getfixturevalue("server"))


@pytest.fixture
def opened(named, tmp_path) -> Iterator[Callable[[], Store]]:
    """Opens the store, each time anew; all are closed after the test."""
    stores: list[Store] = []

    def open_it() -> Store:
        stores.append(Store(locate(named, tmp_path)))
        return stores[-1]

    yield open_it
    for store in stores:
        store.close()
