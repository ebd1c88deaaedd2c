"""A corpus in a folder, read once from end to end, and which runs of words it shares with given texts."""

import gzip
import hashlib
import json
import logging
import zlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import Any

from harness.core.errors import InputError
from harness.core.text.words import letter_words
from harness.data.bombs import bounded_rows, parquet_batches

__all__ = ["LONGEST", "SHORTEST", "Found", "corpus_files", "runs_of", "search", "tell_skipped"]

LONGEST, SHORTEST = 13, 8
"""Words of a run: a text of fewer than 13 is looked for whole, one of fewer than 8 not at all (Brown et al., 2020)."""

_TEXTS, _TABLES, _PARQUET, _PACKED = (".txt", ".md"), (".jsonl",), ".parquet", ".gz"
_CHUNK = 1 << 20
_LONGEST_LINE = 64 << 20
"""Bytes of a row of JSON."""
_SHOWN = 5
"""Skipped files that are named."""
_log = logging.getLogger(__name__)

Run = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Runs of words that stand in a corpus, and the SHA-256 of all that was read."""

    runs: frozenset[Run]
    sha256: str


def corpus_files(folder: Path) -> list[Path]:
    """The files of a corpus, those in folders below it among them, by name. Raises `InputError` where there is none."""
    found = [path for path in _files(folder) if _sort(path)]
    if not found:
        raise InputError(
            f"holds no {', '.join((*_TEXTS, *_TABLES))} file, packed with gzip or not, and no {_PARQUET} file",
            place=f"--corpus {folder}",
            fix="Name another folder",
        )
    return found


@cache  # one line a run, however many tasks look there
def tell_skipped(folder: Path) -> None:
    """Warn, in one line, of the files in a corpus that aren't read. Raises as `corpus_files` does."""
    skipped = [path.relative_to(folder).as_posix() for path in _files(folder) if not _sort(path)]
    if skipped:
        shown = ", ".join(map(repr, skipped[:_SHOWN]))
        others = f" and {len(skipped) - _SHOWN:,} more" if len(skipped) > _SHOWN else ""
        _log.warning(
            "--corpus %s: not looked into, as their names tell no format that is read: %s%s", folder, shown, others
        )


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise InputError(
            "is not a folder", place=f"--corpus {folder}", fix="Give one with .txt, .md, .jsonl or .parquet files"
        )
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]


def _sort(path: Path) -> str | None:
    """The ending that says how the file is read, without that of gzip, whatever its case; None where none is known."""
    name = path.name.lower()
    endings = (*_TEXTS, *_TABLES) if name.endswith(_PACKED) else (*_TEXTS, *_TABLES, _PARQUET)
    return next((one for one in endings if name.removesuffix(_PACKED).endswith(one)), None)


def runs_of(text: str) -> set[Run]:
    """The runs of words that are looked for: of 13, or the whole of a shorter text; none of one below 8 words."""
    words = letter_words(text)
    length = min(LONGEST, len(words))
    if length < SHORTEST:
        return set()
    return {tuple(words[start : start + length]) for start in range(len(words) - length + 1)}


def search(folder: Path, wanted: Collection[Run]) -> Found:
    """Which of the wanted runs stand in the corpus: in texts and rows of JSON, packed or not, and in tables of Parquet.

    Memory is bounded by what is wanted, however large the corpus is. Raises `InputError` or
    `DataError` for a file that can't be read.
    """
    digest, known = hashlib.sha256(), frozenset(wanted)
    lengths = sorted({len(run) for run in known})
    found: set[Run] = set()
    for path in corpus_files(folder):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        try:
            for words in _documents(path, digest):
                found |= _shared(words, known, lengths)
        except (OSError, EOFError, zlib.error, UnicodeError) as error:
            raise InputError(f"can't be read ({error})", place=path, fix="Give whole text files in UTF-8") from error
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
    sort = _sort(path)
    if sort not in _TEXTS:
        yield from (_rows if sort in _TABLES else _table)(path, digest)
        return
    kept: list[str] = []
    for text in _pieces(path, digest):
        words = [*kept, *letter_words(text)]
        yield words
        kept = words[-(LONGEST - 1) :]


def _pieces(path: Path, digest: Any) -> Iterator[str]:
    """Texts of about a megabyte, none of which ends within a word."""
    rest = ""
    with _opened(path) as packed, TextIOWrapper(packed, encoding="utf-8", newline="") as stream:
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
    with _opened(path) as stream:
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


def _table(path: Path, digest: Any) -> Iterator[list[str]]:
    """The words of each text of each row of a table in Parquet. Raises `DataError` as `parquet_batches` does."""
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
        stream.seek(0)
        for batch in parquet_batches(stream, path):
            for row in bounded_rows(batch, path):
                yield from map(letter_words, _texts(row))


def _opened(path: Path) -> gzip.GzipFile | BufferedReader:
    """The bytes of a file, unpacked as they are read."""
    return gzip.open(path) if path.name.lower().endswith(_PACKED) else path.open("rb")


def _texts(row: Any) -> Iterator[str]:
    """All texts in a row, those of turns of a chat and of other things inside it among them."""
    left = [row]
    while left:
        one = left.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict | list):
            left.extend(one.values() if isinstance(one, dict) else one)
