"""Instructions on words and sentences: their letters, their lengths, their order, their places."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from string import ascii_lowercase, punctuation

from suites.instructions.texts import (
    Arguments,
    Verifier,
    bare,
    number_of,
    plain_words,
    sentences_of,
    tokens_of,
    without_punctuation,
)

__all__ = ["WORDING"]

_VOWELS = set("aeiou")
_CONSONANTS = set(ascii_lowercase) - _VOWELS
_PRIMES = {number for number in range(2, 100) if all(number % divisor for divisor in range(2, number))}


def _alphabet(text: str, told: Arguments) -> bool:  # noqa: ARG001
    first = [word[0].lower() for word in without_punctuation(text).split()]
    return (
        bool(first)
        and set(first) <= set(ascii_lowercase)
        and all((ord(later) - ord(earlier)) % len(ascii_lowercase) == 1 for earlier, later in pairwise(first))
    )


def _three_vowels(text: str, told: Arguments) -> bool:  # noqa: ARG001
    text = text.strip().lower()
    return "\n" not in text and len(_VOWELS & set(text)) <= 3


def _consonants(text: str, told: Arguments) -> bool:  # noqa: ARG001
    return all(any({one, other} <= _CONSONANTS for one, other in pairwise(word)) for word in text.lower().split())


def _palindromes(text: str, told: Arguments) -> bool:  # noqa: ARG001
    return sum(len(word) >= 5 and word == word[::-1] for word in plain_words(text)) >= 10


def _prime_lengths(text: str, told: Arguments) -> bool:  # noqa: ARG001
    return all(len(word) in _PRIMES for word in without_punctuation(text).split())


def _few_repeats(text: str, told: Arguments) -> bool:
    return max(Counter(plain_words(text)).values(), default=0) <= number_of(told, "small_n")


def _no_shared_initials(text: str, told: Arguments) -> bool:  # noqa: ARG001
    return all(one[0] != other[0] for one, other in pairwise(plain_words(text)))


def _chained_sentences(text: str, told: Arguments) -> bool:  # noqa: ARG001
    parts = sentences_of(text)
    ends = [(part.rstrip(punctuation + " ").split(), part.lstrip(punctuation + " ").split()) for part in parts]
    return all(
        bool(before and after) and before[-1].lower() == after[0].lower() for (before, _), (_, after) in pairwise(ends)
    )


def _framed_paragraphs(text: str, told: Arguments) -> bool:  # noqa: ARG001
    paragraphs = [line.strip().lower() for line in text.split("\n")]
    return all(_is_framed(bare(paragraph).split()) for paragraph in paragraphs if paragraph)


def _is_framed(words: Sequence[str]) -> bool:
    return bool(words) and words[0] == words[-1]


def _growing_alliteration(text: str, told: Arguments) -> bool:  # noqa: ARG001
    """Words that begin as a neighbour does, more of them from sentence to sentence."""
    counts = [_alliterating(sentence) for sentence in sentences_of(text)]
    return all(later > earlier for earlier, later in pairwise(counts))


def _alliterating(sentence: str) -> int:
    words = [word for part in sentence.lower().split() if (word := part.lstrip(punctuation + " "))]
    alike = [one[0] == other[0] for one, other in pairwise(words)]
    runs = sum(now and not before for before, now in pairwise([False, *alike]))
    return sum(alike) + runs


def _keyword_in_sentence(text: str, told: Arguments) -> bool:
    parts, number = sentences_of(text), int(told["N"])
    return number <= len(parts) and str(told["word"]).lower() in parts[number - 1].lower()


def _keyword_in_place(text: str, told: Arguments) -> bool:
    parts, number, place = sentences_of(text), int(told["n"]), int(told["m"])
    words = tokens_of(parts[number - 1]) if number <= len(parts) else []
    return words[place - 1 : place] == [str(told["keyword"]).strip()]


def _keyword_second(text: str, told: Arguments) -> bool:
    """As the second word and as the last but one, where signs count as words."""
    words = tokens_of(text)
    return len(words) >= 2 and words[1] == words[-2] == str(told["keyword"]).strip()


def _growing_sentences(text: str, told: Arguments) -> bool:
    counts = [len(without_punctuation(sentence).split()) for sentence in sentences_of(text)]
    return all(later - earlier == number_of(told, "small_n") for earlier, later in pairwise(counts))


WORDING: dict[str, Verifier] = {
    "words:alphabet": _alphabet,
    "words:vowel": _three_vowels,
    "words:consonants": _consonants,
    "words:palindrome": _palindromes,
    "words:prime_lengths": _prime_lengths,
    "words:repeats": _few_repeats,
    "words:no_consecutive": _no_shared_initials,
    "words:last_first": _chained_sentences,
    "words:paragraph_last_first": _framed_paragraphs,
    "words:keywords_specific_position": _keyword_in_place,
    "words:words_position": _keyword_second,
    "sentence:alliteration_increment": _growing_alliteration,
    "sentence:keyword": _keyword_in_sentence,
    "sentence:increment": _growing_sentences,
}
