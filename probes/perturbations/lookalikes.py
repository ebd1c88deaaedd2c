"""Letters taken for others: by a scanner, or by the eye."""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

from typing_extensions import override

from probes.perturbations.edits import LETTERS, Edits, Site, single_edits

__all__ = ["Homoglyphs", "OcrConfusions", "homoglyphs"]

_SCANNED = {
    "rn": ("m",), "m": ("rn",), "cl": ("d",), "d": ("cl",), "vv": ("w",), "w": ("vv",), "l": ("1", "I"), "I": ("l",),
    "i": ("l",), "O": ("0",), "o": ("0",), "S": ("5",), "s": ("5",), "B": ("8",), "Z": ("2",), "z": ("2",), "G": ("6",),
    "e": ("c",), "c": ("e",), "h": ("b",), "b": ("h",), "g": ("q", "9"), "q": ("g",), "u": ("v",), "n": ("ri",),
    "t": ("f",), "f": ("t",), "y": ("v",),
}  # fmt: skip
"""What optical character recognition takes for what: shapes that differ in a stroke or a gap. A table of ours."""

_SCANNED_PATTERN = re.compile("|".join(sorted(_SCANNED, key=len, reverse=True)))
_SCRIPTS = ("CYRILLIC", "GREEK", "LATIN")


class OcrConfusions(Edits):
    """One letter of a word, or two, is read as another of like shape, as by a scanner; a distance of at most 2 each."""

    name = "ocr_confusions"

    @override
    def sites(self, text: str) -> Iterator[Site]:
        """Words of three letters or more."""
        for found in LETTERS.finditer(text):
            parts = ((*at.span(), new) for at in _SCANNED_PATTERN.finditer(found[0]) for new in _SCANNED[at[0]])
            yield Site(*found.span(), single_edits(found[0], parts))


class Homoglyphs(Edits):
    """One letter of a word becomes a Latin, Greek or Cyrillic one that looks the same; a distance of 1 each.

    After Unicode's table of confusables (Unicode Technical Standard 39).
    """

    name = "homoglyphs"

    @override
    def sites(self, text: str) -> Iterator[Site]:
        """Words of three letters or more."""
        for found in LETTERS.finditer(text):
            parts = ((at, at + 1, new) for at, letter in enumerate(found[0]) for new in homoglyphs(letter))
            yield Site(*found.span(), single_edits(found[0], parts))


@cache
def homoglyphs(letter: str) -> tuple[str, ...]:
    """Single letters of European scripts that a reader takes for this ASCII letter."""
    # Its table of a megabyte is read when it is imported, which listing tasks should not cost.
    from confusable_homoglyphs.confusables import confusables_data

    alike = [entry["c"] for entry in confusables_data.get(letter, ())]
    return tuple(
        one
        for one in alike
        if len(one) == 1 and one.isalpha() and not one.isascii() and unicodedata.name(one, "").startswith(_SCRIPTS)
    )
