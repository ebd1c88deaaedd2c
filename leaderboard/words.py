"""The interface in the reader's language, and texts of unknown origin made harmless."""

import re
from dataclasses import dataclass
from pathlib import Path

from harness.charts import chart_words as chart_words
from harness.core.text.display import elided, visible
from harness.core.text.translation import LANGUAGES, Translate, translator

__all__ = ["BoardWords", "board_words", "escaped"]

_LINKING = re.compile(r"(?<=[:@])|(?<=www)(?=\.)", re.IGNORECASE)
"""Where a text that reads like an address, an icon or an emoji comes apart: these are looked for behind all escapes."""
_JOINER = "\u2060"
"""Has no width, and no line breaks at it."""

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")


@dataclass(frozen=True, slots=True)
class BoardWords:
    """A language of the interface: its code, the reader's own, and the translation of an English text."""

    code: str
    usual: str
    translate: Translate

    def __call__(self, text: str, **values: object) -> str:
        """The text in this language, its placeholders filled in."""
        translated = self.translate(text)
        return translated.format(**values) if values else translated


def board_words(code: str | None, locale: str | None) -> BoardWords:
    """The language `code`, or that of the browser's `locale` where it is one of ours, or English."""
    usual = next((known for known in LANGUAGES if (locale or "").lower().startswith(known)), "en")
    chosen = code if code is not None and code in LANGUAGES else usual
    interface, measures = translator(Path(__file__).parent, chosen), chart_words(chosen)
    # What the charts have a word for, such as a metric, is called the same in the tables.
    return BoardWords(chosen, usual, lambda text: measures(text) if (said := interface(text)) == text else said)


def escaped(text: str, limit: int = 80) -> str:
    """A text of unknown origin for where Markdown is read: visible, on one line, every mark literal, and no link."""
    return _PUNCTUATION.sub(r"\\\1", _LINKING.sub(_JOINER, elided(visible(text), limit)))
