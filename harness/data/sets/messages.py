"""Translations that people made of a program's messages, out of the wheel of Django: sentence pairs for translation."""

import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import polib

from harness.core.datasets import DataSet
from harness.core.errors import DataError
from harness.core.process.paths import cache_folder, new_cached_file
from harness.core.process.wheels import Wheel
from harness.core.text.hashing import SHORT, digest

__all__ = ["DJANGO", "MESSAGES", "MessageSource", "placeholders"]

DJANGO = Wheel(
    project="django",
    version="5.2.19",
    sha256="5965d974a5218a2b68a11dd1276434707f23886525c23f0598eccedaf4f4ca00",
)

_PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[sd]|\{\w*\}")
_SENTENCE = re.compile(r"[A-Z“\"].*[.!?]")
_ENDS = tuple(".!?。！？")
_FEWEST_WORDS = 4


def placeholders(text: str) -> Counter[str]:
    """What a program fills in, as Python's format strings mark it, such as `%(name)s` or `{name}`, with its count."""
    return Counter(_PLACEHOLDER.findall(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSource:
    """Every gettext file of one language in a published wheel, written once as JSON lines into the cache.

    A row has the English sentence under `en`, its translation under `column`. Kept are translated messages of
    one line and at least four words, without mark-up and without a plural, that begin with a capital letter and end
    like a sentence on both sides; a sentence or a translation that comes again is left out, and so is a translation
    that lost or gained a placeholder.
    """

    wheel: Wheel
    locale: str
    column: str

    @property
    def description(self) -> str:
        """Where from, for people."""
        return f"sentences of the files django.po for {self.locale} in the wheel {self.wheel.requirement}"

    def fetch(self, *, offline: bool) -> Path:
        """The path of the file of JSON lines. Raises as `Wheel.fetch` does, and `DataError` for a damaged file."""
        target = cache_folder() / "messages" / f"{digest(asdict(self))[:SHORT]}.jsonl"
        if target.is_file():
            return target
        archive = self.wheel.fetch(offline=offline)
        with zipfile.ZipFile(archive) as wheel:
            names = sorted(name for name in wheel.namelist() if name.endswith(f"/{self.locale}/LC_MESSAGES/django.po"))
            files = {name: wheel.read(name) for name in names}
        pairs: dict[str, str] = {}
        for name, content in files.items():
            for english, translated in _sentences(content, f"{archive}: {name}"):
                if english not in pairs and translated not in pairs.values():
                    pairs[english] = translated
        with new_cached_file(target) as stream:
            for english, translated in pairs.items():
                row = {"en": english, self.column: translated}
                stream.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
        return target


def _sentences(content: bytes, place: str) -> Iterator[tuple[str, str]]:
    try:
        # polib takes a text without a line break for a path.
        entries = polib.pofile(content.decode("utf-8") + "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"is not a gettext file ({error})", place=place) from error
    for entry in entries:
        english, translated = entry.msgid.strip(), entry.msgstr.strip()
        if not entry.translated() or entry.msgid_plural or "<" in english or "\n" in english + translated:
            continue
        whole = _SENTENCE.fullmatch(english) and translated.endswith(_ENDS) and len(english.split()) >= _FEWEST_WORDS
        if whole and placeholders(english) == placeholders(translated):
            yield english, translated


def _pairs(column: str, locale: str, language: str, rows: int, sha256: str) -> DataSet:
    return DataSet(
        name=f"django_messages_{column}",
        title=f"Messages of Django in English and {language}",
        source=MessageSource(wheel=DJANGO, locale=locale, column=column),
        licence="BSD-3-Clause",
        citation="Django Software Foundation and its translators (2026), Django 5.2.19, translations of its messages",
        homepage="https://www.djangoproject.com",
        languages=("en", column),
        columns=("en", column),
        sha256=sha256,
        row_count=rows,
        dropped=f"{rows} of about 780 messages: whole sentences of at least four words, without mark-up and plurals, "
        "each once, whose translation keeps every placeholder. Some of the sentences come in families that differ in "
        "a word. Translated by volunteers, from English.",
    )


MESSAGES: Sequence[DataSet] = (
    _pairs("de", "de", "German", 153, "30d7f78032f37b7b1cadb0f15d2b37f0cf4b365f55d4417f5d218e5eb91e7122"),
    _pairs("es", "es", "Spanish", 154, "e50264e55302f742f252f8acc7793b0592b675cb2ecac02bb887af15f62f2480"),
    _pairs("fr", "fr", "French", 162, "b320b2ff5521bc6d579d55f87208e757eec6bb7aefe26b163ed0ac4d5c6bc25a"),
    _pairs("pt", "pt", "Portuguese", 134, "7f65abb8aa17fef47f65c1e0ed878dc3a780a517461f02d9f1a123eccec14848"),
    _pairs("ru", "ru", "Russian", 159, "6c3e78862a7b435f0e668df81a5ea901f5713e9c129b015362fcba10526e6161"),
    _pairs("zh", "zh_Hans", "Chinese", 134, "266146ca296602a7cd6b495ff700ebc4ba87a4dab0cbd24579528497be57a999"),
)
"""Sentence pairs with English, one set a language."""
