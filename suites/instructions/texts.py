"""How instructions see a text: its words, its tokens, its sentences and what is left without punctuation."""

import re
from collections.abc import Callable, Mapping
from string import punctuation
from typing import Any

__all__ = [
    "Arguments",
    "Verifier",
    "bare",
    "number_of",
    "plain_words",
    "sentences_of",
    "tokens_of",
    "without_accents",
    "without_punctuation",
]

Arguments = Mapping[str, Any]
"""What an instruction leaves open, such as how many words."""
Verifier = Callable[[str, Arguments], bool]
"""Whether a text, which isn't empty, follows an instruction."""

_REMOVED = str.maketrans("", "", punctuation)
_KEPT, _END = "\ue000", "\ue001"
"""Private characters: a full stop that ends no sentence, and the end of one."""
_TITLE = r"(Mr|St|Mrs|Ms|Dr)[.]"
_COMPANY = r"(Inc|Ltd|Jr|Sr|Co)"
_SITE = r"[.](com|net|org|io|gov|edu|me)"
_STARTER = (
    r"(Mr|Mrs|Ms|Dr|Prof|Capt|Cpt|Lt|He\s|She\s|It\s|They\s|Their\s|Our\s|We\s|But\s|However\s|That\s|This\s|Wherever)"
)
_LETTER = r"([A-Za-z])"
_FULL_STOPS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), kept)
    for pattern, kept in (
        (r"Ph\.D\.", f"Ph{_KEPT}D{_KEPT}"),
        (rf"\s{_LETTER}[.] ", rf" \1{_KEPT} "),
        (rf"([A-Z][.][A-Z][.](?:[A-Z][.])?) {_STARTER}", rf"\1{_END} \2"),
        (rf"{_LETTER}[.]{_LETTER}[.]{_LETTER}[.]", rf"\1{_KEPT}\2{_KEPT}\3{_KEPT}"),
        (rf"{_LETTER}[.]{_LETTER}[.]", rf"\1{_KEPT}\2{_KEPT}"),
        (rf" {_COMPANY}[.] {_STARTER}", rf" \1{_END} \2"),
        (rf" {_COMPANY}[.]", rf" \1{_KEPT}"),
        (rf" {_LETTER}[.]", rf" \1{_KEPT}"),
    )
)
_STOP = re.compile(r"(?<!\b[A-Za-z])(?<!\b(?:Mr|St|Ms|Dr))(?<!\bMrs)[.][\"')\]\u201d\u2019]*(?=\s)")
_SWAPPED = ((".”", "”."), ('."', '".'), ('!"', '"!'), ('?"', '"?'))
"""A sentence ends behind the quotation mark that ends with it."""


def sentences_of(text: str) -> list[str]:
    """Its sentences, by the rules of IFEval (Zhou et al., 2023): ends at `.`, `?` and `!`, but for abbreviations.

    A text that isn't closed by a sign counts as a sentence, too, and so does a sign alone.
    """
    text = f" {text}  ".replace("\n", " ")
    text = re.sub(_TITLE, rf"\1{_KEPT}", text)
    text = re.sub(_SITE, rf"{_KEPT}\1", text)
    text = re.sub(r"([0-9])[.]([0-9])", rf"\1{_KEPT}\2", text)
    text = re.sub(r"\.{2,}", lambda dots: _KEPT * len(dots[0]) + _END, text)
    for pattern, kept in _FULL_STOPS:
        text = pattern.sub(kept, text)
    for within, behind in _SWAPPED:
        text = text.replace(within, behind)
    text = re.sub(r"([.?!])", rf"\1{_END}", text).replace(_KEPT, ".")
    found = [sentence.strip() for sentence in text.split(_END)]
    return found[:-1] if not found[-1] else found


def tokens_of(text: str) -> list[str]:
    """Words and signs, each for itself, as the Penn Treebank cuts them: `Don't.` is `Do`, `n't` and `.`.

    Only a full stop that ends a sentence is a token of its own: one with a space behind it that closes no title.
    """
    from nltk.tokenize.destructive import NLTKWordTokenizer  # seconds, for three of the instructions

    cut = NLTKWordTokenizer()
    return [token for part in _STOP.sub(r"\g<0>\n", text).split("\n") for token in cut.tokenize(part)]


def without_punctuation(text: str) -> str:
    """Without any sign of ASCII's punctuation, also within words."""
    return text.translate(_REMOVED)


def plain_words(text: str) -> list[str]:
    """What is left between white space of a text without punctuation, in lower case."""
    return without_punctuation(text.lower()).split()


def bare(text: str) -> str:
    """Without punctuation and spaces at both ends."""
    return text.strip(punctuation + " ")


def without_accents(text: str) -> str:
    """In ASCII: letters without their accents, and nothing else that isn't of it."""
    from unicodedata import normalize

    return normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")


def number_of(told: Arguments, name: str) -> float:
    """An argument that is a number."""
    return float(told[name])
