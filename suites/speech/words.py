"""What counts as the same words, and how many edits lie between what was said and what was written."""

import re
import unicodedata
from dataclasses import dataclass

from harness.core.metrics import Mean, PerUnit

__all__ = ["AUDIO_SECONDS", "CER", "NATS_PER_WORD", "WER", "WordEdits", "edits", "error_rate", "normalised"]


_NORM = "Case and punctuation are left aside, a hyphen parts words, and figures stay as they are written"
_SPLITS = re.compile(r"[-\u2010-\u2015/\u2026]")
_QUOTES = re.compile(r"(?<!\S)'+|'+(?!\S)")


def error_rate(name: str, unit: str, meaning: str, *by: str) -> PerUnit:
    """A sum of edits over the words or characters of the references, with the error of a ratio over clips."""
    return PerUnit(
        name=name,
        unit=unit,
        direction="lower",
        transform="plain",
        lowest=0.0,
        by=by,
        source="edits over the length of the references: Morris, Maier and Green, "
        "From WER and RIL to MER and WIL (2004); counted by jiwer",
        meaning=meaning,
    )


AUDIO_SECONDS = Mean(
    name="audio_seconds",
    unit="s",
    direction="lower",
    lowest=0.0,
    source="length of the sounds that a sample asks about",
    meaning="""
    Mean number of seconds of sound that a sample asks about, all its variants together; from 0 up. It judges nothing:
    time and energy are divided by it.
    """,
)
WER = error_rate(
    "wer",
    "errors/word",
    f"""
    Word error rate: words put in, left out or replaced, over the words that are said, summed over all clips; from 0 up,
    lower is better. It goes beyond 1 where more is written than is said. {_NORM}.
    """,
)
CER = error_rate(
    "cer",
    "errors/character",
    f"""
    Character error rate, from 0 up, lower is better: as the word error rate, by characters, spaces among them, so that
    a word that is nearly right is nearly no error. {_NORM}.
    """,
)
NATS_PER_WORD = PerUnit(
    name="reference_nats_per_word",
    unit="nats/word",
    direction="lower",
    transform="plain",
    lowest=0.0,
    source="mean negative log-likelihood of the reference given the sound",
    meaning="""
    Nats a word, from 0 up; lower is better: how unlikely the model finds what is really said, its spelling and its end
    included. It moves before the text does. Texts are spelled as the reference is, so compare it with its like alone:
    models with other tokens or another habit of punctuation differ for that.
    """,
)


@dataclass(frozen=True, slots=True)
class WordEdits:
    """WordEdits between two texts, in words and in characters, and how many of each the first has."""

    words: int
    word_count: int
    characters: int
    character_count: int


def normalised(text: str) -> str:
    """A text without case and punctuation, its words parted by one space; an apostrophe within a word stays."""
    plain = unicodedata.normalize("NFKC", text).replace("\u2019", "'").lower()
    kept = "".join(one if one == "'" or _is_said(one) else " " for one in _SPLITS.sub(" ", plain))
    return " ".join(_QUOTES.sub(" ", kept).split())


def _is_said(letter: str) -> bool:
    """Of a letter or figure, and of a mark on one: in many scripts vowels are marks."""
    return letter.isalnum() or unicodedata.category(letter).startswith("M")


def edits(said: str, written: str) -> WordEdits:
    """The edits from what is said to what was written, both normalised; something has to be said."""
    import jiwer

    reference, found = normalised(said), normalised(written)
    words, characters = jiwer.process_words(reference, found), jiwer.process_characters(reference, found)
    return WordEdits(
        words=words.substitutions + words.deletions + words.insertions,
        word_count=len(reference.split()),
        characters=characters.substitutions + characters.deletions + characters.insertions,
        character_count=len(reference),
    )
