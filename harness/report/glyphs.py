"""Texts of strangers made fit for a page: every character has a glyph, none turns the order, no word is endless."""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from fontTools.ttLib import TTFont

__all__ = ["Glyphs"]

LONGEST_WORD = 24
"""Letters that may stand together before a line may be broken inside a word."""

SHORT_WORD = 8
"""Words up to this length are never broken."""

_BREAK = "\u200b"
_JOINTS = re.compile(r"(?<=[_/=:])(?=\w)")


class Glyphs:
    """Knows which characters the fonts of a report can show."""

    def __init__(self, font_files: Iterable[Path]) -> None:
        self._known = frozenset().union(*(_characters(path) for path in font_files))

    def fit(self, text: str) -> str:
        """The text with what can't be shown as `U+XXXX`, and with places to break long words at.

        Controls and marks that turn the reading order are shown the same way, so that no text can pass for another.
        Line ends stay, tabs become spaces.
        """
        shown = "".join(self._shown(letter) for letter in text.replace("\r\n", "\n").replace("\t", "    "))
        return "\n".join(" ".join(_breakable(word) for word in line.split(" ")) for line in shown.split("\n"))

    def _shown(self, letter: str) -> str:
        if letter == "\n":
            return letter
        if unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Co", "Cn") or ord(letter) not in self._known:
            return f"U+{ord(letter):04X}"
        return letter


def _breakable(word: str) -> str:
    """The word with places where a line may end: behind its joints, and within parts longer than `LONGEST_WORD`."""
    parts = (part for joined in _JOINTS.split(word) for part in _cut(joined)) if len(word) > SHORT_WORD else (word,)
    return _BREAK.join(parts)


def _cut(part: str) -> list[str]:
    return [part[start : start + LONGEST_WORD] for start in range(0, len(part), LONGEST_WORD)]


@cache
def _characters(path: Path) -> frozenset[int]:
    # The fonts of a collection show the same characters, drawn as different countries write them.
    return frozenset(TTFont(path, fontNumber=0, lazy=True).getBestCmap())
