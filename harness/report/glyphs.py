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
_LETTERS = re.compile(r"[\u0e00-\u0eff\u1100-\u11ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]+")
"""Letters of Thai, Lao, Korean, Japanese or Chinese."""
_JOINTS = re.compile(r"(?<=[_/=:])(?=\w)|(?<=[\u3001-\u3007\u4e00-\u9fff，：；）])(?=[A-Za-z])")
"""Where a long word may go on in the next line: behind marks that join its parts, and from Chinese to Latin letters."""


class Glyphs:
    """Knows which characters the fonts of a report can show."""

    def __init__(self, font_files: Iterable[Path]) -> None:
        self._known = frozenset().union(*(_characters(path) for path in font_files))

    def fit(self, text: str) -> str:
        """The text with what can't be shown as `U+XXXX`, and with places to break long words at.

        Of letters that can't be shown, such as Chinese without a font for it, their number is told instead. Controls
        and marks that turn the reading order are shown as the rest, so that no text can pass for another. Line ends
        stay, tabs become spaces.
        """
        plain = text.replace("\r\n", "\n").replace("\t", "    ")
        shown = "".join(self._shown(letter) for letter in _LETTERS.sub(self._counted, plain))
        return "\n".join(" ".join(_breakable(word) for word in line.split(" ")) for line in shown.split("\n"))

    def _counted(self, found: "re.Match[str]") -> str:
        """A stretch of letters of scripts without case, such as Chinese: as it is, or, without a font, their number."""
        letters = found.group()
        if all(ord(letter) in self._known for letter in letters):
            return letters
        count = "1 letter" if len(letters) == 1 else f"{len(letters)} letters"
        return f"[{count} without a font]"

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
