"""Where a text lies between what is common and what is rare, by its words alone."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain

import numpy as np

from harness.core.errors import TaskError
from harness.core.text.words import letter_words

__all__ = ["ATTRIBUTES", "Strata", "word_frequencies"]

ATTRIBUTES: Mapping[str, tuple[str, str, str]] = {
    "rarity": ("common", "middle", "rare"),
    "length": ("short", "middle", "long"),
    "novelty": ("familiar", "middle", "novel"),
}
"""What texts are parted by, with the three strata of each: the first is the head, the last the tail."""

_PER_BILLION = 9
"""What Zipf's scale adds to the decimal logarithm of a frequency."""


@cache
def word_frequencies(language: str) -> Mapping[str, float]:
    """The share of each word in texts of a language, by wordfreq. Raises `TaskError` where it has none."""
    import wordfreq  # late: few runs need it

    if language not in wordfreq.available_languages("best"):
        raise TaskError(f"no word frequencies of the language {language}", place="strata", fix="Use a task in another")
    frequencies: Mapping[str, float] = wordfreq.get_frequency_dict(language, wordlist="best")
    return frequencies


@dataclass(frozen=True, slots=True, kw_only=True)
class Strata:
    """Two cuts for each attribute, at the thirds of a set of texts, and how many of the texts hold each word."""

    language: str
    cuts: Mapping[str, tuple[float, float]]
    holders: Mapping[str, int]

    @classmethod
    def of(cls, texts: Sequence[str], language: str) -> "Strata":
        """Those of at least one text. Raises `TaskError` as `word_frequencies` does."""
        word_lists = [letter_words(text) for text in texts]
        holders = Counter(chain.from_iterable(map(set, word_lists)))
        table = [list(_measures(words, holders, language).values()) for words in word_lists]
        lower, upper = np.quantile(np.array(table), [1 / 3, 2 / 3], axis=0, method="inverted_cdf")
        return cls(
            language=language,
            cuts={name: (float(lower[place]), float(upper[place])) for place, name in enumerate(ATTRIBUTES)},
            holders=holders,
        )

    def groups(self, text: str) -> Mapping[str, str]:
        """The stratum of one of the texts, by attribute: a third each, but for texts that measure the same."""
        measured = _measures(letter_words(text), self.holders, self.language)
        return {name: ATTRIBUTES[name][_place(measured[name], self.cuts[name])] for name in ATTRIBUTES}


def _place(value: float, cuts: tuple[float, float]) -> int:
    lower, upper = cuts
    return 0 if value <= lower else 2 if value >= upper else 1


def _measures(words: Sequence[str], holders: Mapping[str, int], language: str) -> Mapping[str, float]:
    """What each attribute goes by; the larger, the nearer to the tail.

    Rarity is minus the mean of the words' frequencies on Zipf's scale (the decimal logarithm of how often a word
    stands in a billion; 0 for one that the list hasn't), length the number of words, and novelty the share of words
    that stand in no other text.
    """
    known = word_frequencies(language)
    scale: Iterable[float] = (math.log10(known[word]) + _PER_BILLION if known.get(word) else 0.0 for word in words)
    count = max(1, len(words))
    return {
        "rarity": -math.fsum(scale) / count,
        "length": float(len(words)),
        "novelty": sum(holders.get(word, 0) < 2 for word in words) / count,
    }
