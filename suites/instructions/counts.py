"""Instructions on how many or which share: words, names, numbers, kinds of sentence, trigrams."""

import re
from collections import Counter

from suites.instructions.texts import (
    Arguments,
    Verifier,
    bare,
    number_of,
    plain_words,
    sentences_of,
    without_punctuation,
)

__all__ = ["COUNTS"]

_CONJUNCTIONS = {"and", "but", "for", "nor", "or", "so", "yet"}
_NAMES = (
    "Emma Liam Sophia Jackson Olivia Noah Ava Lucas Isabella Mason Mia Ethan Charlotte Alexander Amelia Benjamin "
    "Harper Leo Zoe Daniel Chloe Samuel Lily Matthew Grace Owen Abigail Gabriel Ella Jacob Scarlett Nathan Victoria "
    "Elijah Layla Nicholas Audrey David Hannah Christopher Penelope Thomas Nora Andrew Aria Joseph Claire Ryan Stella "
    "Jonathan"
)
"""Those that its prompts list."""
_PRONOUNS = (
    "i me my mine myself we us our ours ourselves you your yours yourself yourselves he him his himself she her hers "
    "herself it its itself they them their theirs themselves"
)
_TIMES = (1, 2, 3, 5, 7)
_JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
_MARGIN = 2
"""Percent by which an overlap may miss."""


def _word_range(text: str, told: Arguments) -> bool:
    return bool(number_of(told, "min_words") <= len(re.findall(r"\w+", text)) <= number_of(told, "max_words"))


def _unique_words(text: str, told: Arguments) -> bool:
    return len({bare(word) for word in text.lower().split()}) >= number_of(told, "N")


def _conjunctions(text: str, told: Arguments) -> bool:
    """Different as they stand, so that `and` and `And,` are two: the publisher counts so."""
    return len({word for word in text.split() if bare(word).lower() in _CONJUNCTIONS}) >= number_of(told, "small_n")


def _person_names(text: str, told: Arguments) -> bool:
    return sum(name in text for name in _NAMES.split()) >= number_of(told, "N")


def _numbers(text: str, told: Arguments) -> bool:
    """Runs of digits; what stands between two of them as punctuation doesn't part them."""
    return len(re.findall(r"\d+", without_punctuation(text))) == number_of(told, "N")


def _pronouns(text: str, told: Arguments) -> bool:
    return sum(word in _PRONOUNS.split() for word in plain_words(text.replace("/", " "))) >= number_of(told, "N")


def _punctuation_marks(text: str, told: Arguments) -> bool:  # noqa: ARG001
    """All six, beside an interrobang, whose signs don't count once more."""
    found = next((mark for mark in ("?!", "!?") if mark in text), "")
    rest = text.replace(found, "", 1) if found else text
    return bool(found or "‽" in text) and set(".,!?;:") <= set(rest)


def _keywords(text: str, told: Arguments) -> bool:
    words = [str(told[f"keyword{number}"]).strip().lower() for number in range(1, len(_TIMES) + 1)]
    return all(text.lower().count(word) == times for word, times in zip(words, _TIMES, strict=True))


def _japanese_words(text: str, told: Arguments) -> bool:
    words = [bare(word) for number, word in enumerate(text.split(), 1) if number % number_of(told, "N") == 0]
    return all(_JAPANESE.search(word) for word in words if word and not word.isdigit())


def _trigram_overlap(text: str, told: Arguments) -> bool:
    """Of characters: the share of the answer's different trigrams that the reference has."""
    ours, theirs = _trigrams(text), _trigrams(str(told["reference_text"]))
    if not ours:
        return False
    return bool(abs(100 * len(ours & theirs) / len(ours) - number_of(told, "percentage")) <= _MARGIN)


def _trigrams(text: str) -> set[str]:
    return {text[start : start + 3] for start in range(len(text) - 2)}


def _sentence_ratio(text: str, told: Arguments) -> bool:  # noqa: ARG001
    ends = _ends(text)
    return ends["."] == 2 * ends["?"]


def _sentence_balance(text: str, told: Arguments) -> bool:  # noqa: ARG001
    ends = _ends(text)
    return ends["."] == ends["?"] == ends["!"]


def _ends(text: str) -> Counter[str]:
    return Counter(sentence[-1:] for sentence in sentences_of(text))


def _equal_sentences(text: str, told: Arguments) -> bool:  # noqa: ARG001
    """Three of one length; whether their words differ is asked for, but not looked at by the publisher."""
    lengths = [len(sentence) for sentence in sentences_of(text)]
    return len(lengths) == 3 and len(set(lengths)) == 1


COUNTS: dict[str, Verifier] = {
    "count:word_count_range": _word_range,
    "count:unique_word_count": _unique_words,
    "count:conjunctions": _conjunctions,
    "count:person_names": _person_names,
    "count:numbers": _numbers,
    "count:pronouns": _pronouns,
    "count:punctuation": _punctuation_marks,
    "count:keywords_multiple": _keywords,
    "count:words_japanese": _japanese_words,
    "ratio:overlap": _trigram_overlap,
    "ratio:sentence_type": _sentence_ratio,
    "ratio:sentence_balance": _sentence_balance,
    "ratio:sentence_words": _equal_sentences,
}
