"""What checks whether a text follows an instruction, strictly and loosely, by the instruction's kind."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from suites.instructions.contents import CONTENTS
from suites.instructions.counts import COUNTS
from suites.instructions.layouts import LAYOUTS
from suites.instructions.texts import Arguments, Verifier
from suites.instructions.wording import WORDING

__all__ = ["VERIFIERS", "Checked", "verdict_of"]

VERIFIERS: Mapping[str, Verifier] = {**COUNTS, **WORDING, **LAYOUTS, **CONTENTS}
"""The check of each kind of instruction, by the name that IFBench gives it: `family:kind`."""


@dataclass(frozen=True, slots=True)
class Checked:
    """Whether one instruction is followed: as the text stands, and as one may read it with good will."""

    kind: str
    strict: bool
    loose: bool

    @property
    def family(self) -> str:
        """What the kind is of, such as `count`."""
        return self.kind.partition(":")[0]

    @property
    def remark(self) -> str:
        """In a few words."""
        return f"{self.kind} {'followed' if self.strict else 'loosely followed' if self.loose else 'not followed'}"


def verdict_of(kind: str, told: Arguments, text: str) -> Checked:
    """Whether `text` follows the instruction of that kind with those arguments; an empty text follows none.

    Loosely, it does so also without its first line, its last or both, and without asterisks (Zhou et al., 2023).
    Raises `KeyError` for a kind or an argument that there isn't.
    """
    strict = _follows(kind, told, text)
    return Checked(kind, strict, strict or any(_follows(kind, told, other) for other in _variants(text)))


def _follows(kind: str, told: Arguments, text: str) -> bool:
    try:
        return bool(text.strip()) and VERIFIERS[kind](text, told)
    except csv.Error:
        return False


@lru_cache(maxsize=64)
def _variants(text: str) -> tuple[str, ...]:
    lines = text.split("\n")
    parts = [text, *("\n".join(part).strip() for part in (lines[1:], lines[:-1], lines[1:-1]))]
    return (*parts[1:], *(part.replace("*", "") for part in parts))
