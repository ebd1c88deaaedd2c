"""From a data set to its checked rows."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.core.datasets import DataSet, Row
from harness.core.errors import DataError, UnavailableError
from harness.core.process.paths import cache_folder
from harness.core.text.hashing import file_digest
from harness.data.readers import read

__all__ = ["LoadedData", "check_digest", "load_data"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedData:
    """A data set with its rows, in the order of the file, and the SHA-256 of the file's bytes."""

    dataset: DataSet
    rows: Sequence[Row] = field(repr=False)
    sha256: str


def load_data(dataset: DataSet, *, offline: bool = False) -> LoadedData:
    """Fetch, read and check a data set; `offline` uses the cache alone.

    Raises `DataError` naming the file, and the row or line, if it can't be read, isn't the pinned file, or lacks rows
    or columns; `UnavailableError` with the command that would fetch it.
    """
    path = _fetched(dataset, offline=offline)
    sha = hashlib.sha256()
    try:
        rows = tuple(_with_columns(read(path, sha), dataset, path))
    except DataError:
        # A damaged file is best told by its digest; only this unhappy way reads a file twice.
        if dataset.sha256 and path.is_file():
            check_digest(dataset, path, file_digest(path))
        raise
    check_digest(dataset, path, sha.hexdigest())
    if not rows:
        raise DataError("holds no rows", place=path)
    if dataset.row_count is not None and len(rows) != dataset.row_count:
        raise DataError(f"holds {len(rows)} rows, not the {dataset.row_count} of {dataset.name}", place=path)
    return LoadedData(dataset=dataset, rows=rows, sha256=sha.hexdigest())


def check_digest(dataset: DataSet, path: Path, found: str) -> None:
    """Raises `DataError`, with both digests, if the data set pins another SHA-256 than the one found."""
    if dataset.sha256 in (None, found):
        return
    fetched = path.is_relative_to(cache_folder())
    raise DataError(
        f"has SHA-256 {found}, not the {dataset.sha256} that {dataset.name} is pinned to",
        place=path,
        fix=f"Delete it and run `harness data fetch {dataset.name}`" if fetched else "Put the pinned file back",
    )


def _fetched(dataset: DataSet, *, offline: bool) -> Path:
    try:
        return dataset.source.fetch(offline=offline)
    except UnavailableError as error:
        otherwise = f". {error.fix}" if error.fix else " where there is a network"
        raise UnavailableError(
            f"{error.place}: {error.problem}",
            place=dataset.name,
            fix=f"`harness data fetch {dataset.name}` fetches it{otherwise}",
        ) from error


def _with_columns(rows: Iterator[Row], dataset: DataSet, path: Path) -> Iterator[Row]:
    for number, row in enumerate(rows, start=1):
        missing = [column for column in dataset.columns if column not in row]
        if missing:
            raise DataError(
                f"lacks {', '.join(missing)}; its columns are {', '.join(row) or 'none'}",
                place=f"{path}, row {number}",
                fix=f"{dataset.name} needs {', '.join(dataset.columns)}",
            )
        yield row
