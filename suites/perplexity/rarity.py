"""How rare the word is that each token of a text ends in."""

from bisect import bisect_left
from collections.abc import Callable, Sequence

from harness.core.text.words import letter_words, word_ends

__all__ = ["COMMON", "NO_WORD", "RARE", "strata_of_tokens", "strata_of_words"]

RARE, COMMON, NO_WORD = "0-10 per million", "1000 per million and more", "no word"

_RATES = ((10.0, RARE), (100.0, "10-100 per million"), (1000.0, "100-1000 per million"))
"""Strata of a word's rate, each by its end."""


def strata_of_words(text: str, per_million: Callable[[str], float]) -> list[tuple[int, str]]:
    """Where each word of a text ends, and how rare it is: of a hyphenated one, how rare its rarest part is.

    `per_million` gives how often a word in lower case stands in a million.
    """
    start, found = 0, []
    for end in word_ends(text):
        rate = min(map(per_million, letter_words(text[start:end])), default=-1.0)
        found.append((end, NO_WORD if rate < 0 else next((name for most, name in _RATES if rate < most), COMMON)))
        start = end
    return found


def strata_of_tokens(words: Sequence[tuple[int, str]], token_ends: Sequence[int] | None) -> list[str]:
    """The stratum of the word that each token ends in; empty where the tokenizer doesn't tell where tokens end."""
    ends = [end for end, _ in words]
    if not ends:
        return []
    return [words[min(bisect_left(ends, end), len(ends) - 1)][1] for end in token_ends or ()]
