"""A corpus in a folder, read once from end to end, and which runs of words it shares with given texts."""

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import InputError
from harness.core.text.words import letter_words

__all__ = ["LONGEST", "SHORTEST", "Found", "corpus_files", "runs_of", "search"]

LONGEST, SHORTEST = 13, 8
"""Words of a run: a text of fewer than 13 is looked for whole, one of fewer than 8 not at all (Brown et al., 2020)."""

_TEXTS, _TABLES = (".txt", ".md"), (".jsonl",)
_CHUNK = 1 << 20
_LONGEST_LINE = 64 << 20
"""Bytes of a row of JSON."""

Run = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Runs of words that stand in a corpus, and the SHA-256 of all that was read."""

    runs: frozenset[Run]
    sha256: str


def corpus_files(folder: Path) -> list[Path]:
    """The files of a corpus, those in folders below it among them, by name. Raises `InputError` where there is none."""
    place = f"--corpus {folder}"
    if not folder.is_dir():
        raise InputError("is not a folder", place=place, fix="Give one with .txt, .md or .jsonl files")
    found = [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix in (*_TEXTS, *_TABLES) and path.is_file() and not path.is_symlink()
    ]
    if not found:
        raise InputError(f"holds no {', '.join((*_TEXTS, *_TABLES))} file", place=place, fix="Name another folder")
    return found


def runs_of(text: str) -> set[Run]:
    """The runs of words that are looked for: of 13, or the whole of a shorter text; none of one below 8 words."""
    words = letter_words(text)
    length = min(LONGEST, len(words))
    if length < SHORTEST:
        return set()
    return {tuple(words[start : start + length]) for start in range(len(words) - length + 1)}


def search(folder: Path, wanted: Collection[Run]) -> Found:
    """Which of the wanted runs stand in the corpus.

    Memory is bounded by what is wanted, however large the corpus is. Raises `InputError` for a file that can't be read.
    """
    digest, known = hashlib.sha256(), frozenset(wanted)
    lengths = sorted({len(run) for run in known})
    found: set[Run] = set()
    for path in corpus_files(folder):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        try:
            for words in _documents(path, digest):
                found |= _shared(words, known, lengths)
        except (OSError, UnicodeError) as error:
            raise InputError(f"can't be read ({error})", place=path, fix="Give text files in UTF-8") from error
    return Found(runs=frozenset(found), sha256=digest.hexdigest())


def _shared(words: Sequence[str], known: frozenset[Run], lengths: Sequence[int]) -> set[Run]:
    return {
        run
        for length in lengths
        for start in range(len(words) - length + 1)
        if (run := tuple(words[start : start + length])) in known
    }


def _documents(path: Path, digest: Any) -> Iterator[list[str]]:
    """The words of a file, a piece at a time: pieces of one document overlap by what a run may reach across."""
    if path.suffix in _TABLES:
        yield from _rows(path, digest)
        return
    kept: list[str] = []
    for text in _pieces(path, digest):
        words = [*kept, *letter_words(text)]
        yield words
        kept = words[-(LONGEST - 1) :]


def _pieces(path: Path, digest: Any) -> Iterator[str]:
    """Texts of about a megabyte, none of which ends within a word."""
    rest = ""
    with path.open(encoding="utf-8", newline="") as stream:
        while text := stream.read(_CHUNK):
            digest.update(text.encode())
            text = rest + text
            end = max((text.rfind(space) for space in " \n\t"), default=-1) + 1
            if end <= 0 and len(text) < 16 * _CHUNK:
                rest = text
                continue
            end = end if end > 0 else len(text)
            rest = text[end:]
            yield text[:end]
    yield rest


def _rows(path: Path, digest: Any) -> Iterator[list[str]]:
    """The words of each text of each row."""
    with path.open("rb") as stream:
        number = 0
        while line := stream.readline(_LONGEST_LINE + 1):
            number += 1
            place = f"{path}, line {number}"
            if len(line) > _LONGEST_LINE:
                raise InputError(f"is longer than {_LONGEST_LINE:,} bytes", place=place, fix="Cut it into several rows")
            digest.update(line)
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise InputError("is not a row of JSON", place=place, fix="Write one object a line") from error
            for text in _texts(row):
                yield letter_words(text)


def _texts(row: Any) -> Iterator[str]:
    """All texts in a row, those of turns of a chat and of other things inside it among them."""
    left = [row]
    while left:
        one = left.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict | list):
            left.extend(one.values() if isinstance(one, dict) else one)
