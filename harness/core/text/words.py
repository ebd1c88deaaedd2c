"""Words of a text in any script: what is counted wherever words are."""

import unicodedata

import regex

__all__ = ["CUT", "letter_words", "word_ends", "words"]

CUT = "spaces+unspaced-characters"
"""How `words` cuts, for the signature of a metric."""

_SCRIPTS = (
    "Han", "Hiragana", "Katakana", "Bopomofo", "Yi", "Thai", "Lao", "Khmer", "Myanmar", "Tibetan", "Javanese", "Tai_Le",
    "New_Tai_Lue", "Tai_Tham", "Tai_Viet",
)  # fmt: skip
_UNSPACED = "".join(rf"\p{{Script={script}}}" for script in _SCRIPTS)
"""Scripts that put no space between words."""

_WIDE = r"\u3001-\u303f\uff00-\uffef"
"""Their punctuation, and what is as wide as their characters."""

_SPACE = r"\s\x1c-\x1f"
"""What `str.isspace` says yes to."""

_WORD = regex.compile(rf"[{_UNSPACED}{_WIDE}]\p{{M}}*|[^{_SPACE}{_UNSPACED}{_WIDE}]+")

_LETTERS = r"[\p{L}\p{N}]"
_INSIDE = r"[\p{L}\p{N}\p{M}\u200c\u200d]"
_LETTER_WORD = regex.compile(
    rf"[{_LETTERS}&&[{_UNSPACED}]]\p{{M}}*|[{_LETTERS}--[{_UNSPACED}]][{_INSIDE}--[{_UNSPACED}]]*", regex.VERSION1
)


def words(text: str) -> list[str]:
    """What white space separates; of Chinese, Japanese, Thai and other unspaced scripts, each character.

    A mark, such as a vowel above a consonant, belongs to its character, punctuation to the word that it touches.
    Characters that Unicode takes for equal are the same (NFC).
    """
    return [str(word) for word in _WORD.findall(unicodedata.normalize("NFC", text))]


def word_ends(text: str) -> list[int]:
    """Where each of the `words` of a text ends in it."""
    return [int(found.end()) for found in _WORD.finditer(text)]


def letter_words(text: str) -> list[str]:
    """As `words`, in lower case, without punctuation and symbols: in plain English, what matches `[a-z0-9]+`."""
    return [str(word) for word in _LETTER_WORD.findall(unicodedata.normalize("NFC", text.lower()))]
