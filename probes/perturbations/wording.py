"""The same said otherwise: contractions, numbers, the order of words, sentences that don't matter."""

import re
from collections.abc import Iterator

from typing_extensions import override

from probes.perturbations.edits import HAN, LABEL, Edits, Site
from probes.perturbations.quantities import is_long_quantity, is_quantity

__all__ = ["Contractions", "FillerSentences", "NumberFormat", "WordOrder"]

_CONTRACTED = {
    "is not": "isn't", "are not": "aren't", "was not": "wasn't", "were not": "weren't", "do not": "don't",
    "does not": "doesn't", "did not": "didn't", "cannot": "can't", "could not": "couldn't", "will not": "won't",
    "would not": "wouldn't", "should not": "shouldn't", "has not": "hasn't", "have not": "haven't", "had not": "hadn't",
    "must not": "mustn't", "I am": "I'm", "you are": "you're", "we are": "we're", "they are": "they're",
    "I have": "I've", "you have": "you've", "we have": "we've", "they have": "they've", "I will": "I'll",
    "you will": "you'll", "he will": "he'll", "she will": "she'll", "we will": "we'll", "they will": "they'll",
}  # fmt: skip
"""Pairs that mean the same both ways; `it's` (it is, it has) and `I'd` (I had, I would) don't."""

_OTHER_WAY = {long.lower(): short for long, short in _CONTRACTED.items()} | {
    short.lower(): long for long, short in _CONTRACTED.items()
}
_EITHER = re.compile(rf"\b(?:{'|'.join(sorted(_OTHER_WAY, key=len, reverse=True))})\b", re.IGNORECASE)

_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_FIGURES = {word: str(figure) for figure, word in enumerate(_WORDS)} | {
    str(figure): word for figure, word in enumerate(_WORDS)
}
_NUMBER = re.compile(rf"(?<![\w.,/:-])(?:{'|'.join(_WORDS[2:])}|\d{{1,3}}(?:,\d{{3}})+|\d+)(?![\w/:-]|[.,]\d)")

_PAIR = re.compile(r"(?<![\w'])[A-Za-z]+ [A-Za-z]+(?![\w'])")

_FILLERS = (
    "It was raining that day. ",
    "The street outside was quiet. ",
    "Somebody had left the radio on. ",
    "A bus went by. ",
    "There was a calendar on the wall. ",
)
_CHINESE_FILLERS = (
    "那天下着雨。",
    "外面的街上很安静。",
    "有人忘了关收音机。",
    "一辆公共汽车开过去了。",
    "墙上挂着一本日历。",
)


class Contractions(Edits):
    """`do not` becomes `don't`, and the other way round; a distance of at most 5 each."""

    name = "contractions"
    share = 0.2

    @override
    def sites(self, text: str) -> Iterator[Site]:
        """Phrases that have the other form, with the same meaning."""
        for found in _EITHER.finditer(text):
            other = _OTHER_WAY[found[0].lower()]
            if found[0][0].isupper():
                other = other[0].upper() + other[1:]
            yield Site(*found.span(), (other,))


class NumberFormat(Edits):
    """A number is written in words or in figures, or with a comma between its thousands or without.

    Whole numbers that say how many, alone: a telephone number, a date, a postcode, a code or a label would become
    something else. Four figures without a comma may be a year, and stay; so do `zero` and `one` in words.
    """

    name = "number_format"
    share = 0.2

    @override
    def sites(self, text: str) -> Iterator[Site]:
        """Whole numbers that can be written otherwise."""
        for found in _NUMBER.finditer(text):
            number, (start, end) = found[0], found.span()
            if number in _FIGURES:
                if is_quantity(text, start, end):
                    yield Site(start, end, (_FIGURES[number],))
            elif "," in number:
                yield Site(start, end, (number.replace(",", ""),))
            elif len(number) > 4 and number[0] != "0" and is_long_quantity(text, start, end):
                yield Site(start, end, (f"{int(number):,}",))


class WordOrder(Edits):
    """Two words side by side are exchanged, within a clause; at most the length of both each."""

    name = "word_order"

    @override
    def sites(self, text: str) -> Iterator[Site]:
        """Pairs of words with nothing but a space between them."""
        for found in _PAIR.finditer(text):
            first, second = found[0].split()
            yield Site(*found.span(), (f"{second} {first}",))


class FillerSentences(Edits):
    """Short sentences that have nothing to do with the text stand before it: one at severity 1, five at 5."""

    name = "filler_sentences"
    share = 0.2

    @override
    def sites(self, text: str) -> Iterator[Site]:
        """The first word of the text, once a sentence."""
        label = LABEL.match(text)
        first = re.compile(r"\S").search(text, label.end() if label else 0)
        if first:
            fillers = _CHINESE_FILLERS if HAN.search(text) else _FILLERS
            yield from (Site(first.start(), first.start(), (filler,)) for filler in fillers)
