"""Case, spaces and punctuation marks, written otherwise."""

import re
from collections.abc import Iterator

from typing_extensions import override

from probes.perturbations.edits import Edits, Site

__all__ = ["Casing", "Punctuation", "Whitespace"]

_WORD = re.compile(r"[A-Za-z]+")
_SPACE = re.compile(r"(?<=\S) (?=\S)")
_MARK = re.compile(r"(?<=\w)(?:[.,;!?](?=\s|\Z)| (?=\w))")


class Casing(Edits):
    """A word is written in capitals, in small letters, or with its case turned round; at most its length each."""

    name = "casing"

    @override
    def sites(self, text: str) -> Iterator[Site]:
        """Words of ASCII letters."""
        for found in _WORD.finditer(text):
            word = found[0]
            yield Site(*found.span(), tuple(dict.fromkeys((word.upper(), word.lower(), word.swapcase()))))


class Whitespace(Edits):
    """A space between words is missing or doubled; a distance of 1 each."""

    name = "whitespace"

    @override
    def sites(self, text: str) -> Iterator[Site]:
        """Single spaces."""
        return (Site(*found.span(), ("", "  ")) for found in _SPACE.finditer(text))


class Punctuation(Edits):
    """A mark is missing or doubled, or a comma comes between two words; a distance of 1 each."""

    name = "punctuation"

    @override
    def sites(self, text: str) -> Iterator[Site]:
        """Marks at the end of a word, none of which stands inside a number, and spaces between words."""
        for found in _MARK.finditer(text):
            yield Site(*found.span(), (", ",) if found[0] == " " else ("", found[0] * 2))
