"""Readers of data files, one function a format: each yields plain dicts and digests the bytes as they pass.

Text formats are read once, line by line, as UTF-8 (a byte-order mark is dropped). Whatever can't be read is a
`DataError` that names the line.
"""

import csv
import difflib
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from harness.core.datasets import Row
from harness.core.errors import DataError
from harness.core.text.counts import numbered
from harness.core.text.jsontext import distinct, refuse_half_pairs
from harness.data.bombs import MAX_JSON_BYTES, MAX_LINE_BYTES, bounded_lines, bounded_rows, parquet_batches

if TYPE_CHECKING:
    from hashlib import _Hash

__all__ = ["READERS", "read"]

BLANK = " \t\r\n\v\f"
"""What a blank line may hold; Python counts control characters among the spaces, JSON does not."""
NOT_UTF8 = "Save the file as UTF-8"
MAX_COLUMNS = 10_000
_QUOTED = re.compile(r'"(?:[^"]|"")*""(?:[^"]|"")*"')
"""A value in quotes with a doubled one inside: what CSV makes of one that holds a quotation mark."""

_PLAIN = "Values of a .tsv file hold no tabs and no line breaks, and aren't quoted: save it as .csv or .jsonl"


def read(path: Path, sha: "_Hash") -> Iterator[Row]:
    """The rows of a file, in its order; `sha` has digested all its bytes once they are exhausted.

    The format is told by the file name's extension. Raises `DataError` naming the place: no such file, an unknown
    extension, nothing in it, or what can't be read.
    """
    if not path.is_file():
        odd = "is a folder, not a file" if path.is_dir() else "is not a regular file"
        raise DataError(odd if path.exists() else "no such file", place=path)
    reader = _reader(path)
    try:
        if path.stat().st_size == 0:
            raise DataError("is empty", place=path)
        yield from reader(path, sha)
    except OSError as error:
        reason = error.strerror or next(iter(str(error).splitlines()), "no reason given")
        raise DataError(f"can't be read ({reason})", place=path) from error


def _reader(path: Path) -> Callable[[Path, "_Hash"], Iterator[Row]]:
    suffix = path.suffix.lower()
    if suffix in READERS:
        return READERS[suffix]
    near = difflib.get_close_matches(suffix, READERS, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise DataError(
        f"{hint}its format is told by its extension, and {suffix or 'none'} is not one of {', '.join(READERS)}",
        place=path,
    )


def _lines(path: Path, sha: "_Hash") -> Iterator[tuple[int, str]]:
    with path.open("rb") as stream:
        for number, line in enumerate(bounded_lines(stream, path), start=1):
            sha.update(line)
            yield number, _decoded(line, path, number)


def _decoded(line: bytes, path: Path, number: int) -> str:
    if b"\0" in line:
        raise DataError("holds a NUL byte", place=_at(path, number), fix=f"{NOT_UTF8}; it may be UTF-16, or no text")
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"is not UTF-8: byte 0x{line[error.start]:02x} at position {error.start + 1} of the line",
            place=_at(path, number),
            fix=NOT_UTF8,
        ) from error


def _at(path: Path, number: int) -> str:
    return f"{path}, line {number}"


def _jsonl(path: Path, sha: "_Hash") -> Iterator[Row]:
    """One JSON object a line; blank lines count for nothing."""
    for number, line in _lines(path, sha):
        if text := line.strip(BLANK):
            yield _object(_parsed(text, _at(path, number)), _at(path, number))


def _json(path: Path, sha: "_Hash") -> Iterator[Row]:
    """A list of JSON objects."""
    if path.stat().st_size > MAX_JSON_BYTES:
        raise DataError(
            f"has more than {MAX_JSON_BYTES:,} bytes, which is the limit for one list",
            place=path,
            fix="Put one object a line into a .jsonl file",
        )
    value = _parsed("".join(line for _, line in _lines(path, sha)), str(path))
    if not isinstance(value, list):
        raise DataError(
            f"holds {_kind(value)}, not a list of objects",
            place=path,
            fix="Put the rows into one list, or one object a line into a .jsonl file",
        )
    for number, item in enumerate(value, start=1):
        yield _object(item, f"{path}, item {number}")


def _parsed(text: str, place: str) -> Any:
    try:
        value = _DECODER.decode(text)
        refuse_half_pairs(text, value)
    except json.JSONDecodeError as error:
        row = f"line {error.lineno}, " if "\n" in text else ""
        fix = "If each line is an object, name the file .jsonl" if error.msg == "Extra data" else None
        raise DataError(f"is not JSON: {error.msg} ({row}column {error.colno})", place=place, fix=fix) from error
    except ValueError as error:
        raise DataError(f"is not JSON: {error}", place=place) from error
    except RecursionError as error:
        raise DataError("is nested too deeply", place=place) from error
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON number; a missing value is null")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is too large a number")
    return value


# `json.loads` would make one for each of the lines.
_DECODER = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite, object_pairs_hook=distinct)


def _object(value: Any, place: str) -> Row:
    if not isinstance(value, dict):
        raise DataError(f"holds {_kind(value)}, not an object", place=place)
    return value


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")


def _csv(path: Path, sha: "_Hash") -> Iterator[Row]:
    """Comma-separated values with a header, as RFC 4180 has them; every value is a text."""
    # The module's own limit of 131,072 characters is for the whole process, and shorter than many documents.
    csv.field_size_limit(MAX_LINE_BYTES)
    records = csv.reader((line for _, line in _lines(path, sha)), strict=True)
    header: list[str] = []
    try:
        for record in records:
            if not header:
                header = _header(record, path)
                _refuse_other_separator(header, path)
            elif record:
                if len(record) != len(header):
                    raise DataError(
                        f"has {numbered(len(record), 'value')} for {numbered(len(header), 'column')}",
                        place=_at(path, records.line_num),
                        fix="Quote values that hold the separator, a quote or a line break",
                    )
                yield dict(zip(header, record, strict=True))
    except csv.Error as error:
        if "field limit" in str(error):
            problem = f"has a value of more than {MAX_LINE_BYTES:,} characters, which is the limit"
            raise DataError(problem, place=_at(path, records.line_num), fix="See that each quote is closed") from error
        problem, fix = f"is not {path.suffix[1:].upper()}: {error}", None
        if "new-line" in str(error):  # Python's own advice is for programmers
            problem = "ends its lines with a carriage return alone, as old Macs did, or holds one outside quotes"
            fix = "Save it with line feeds, and quote values that hold a line break"
        raise DataError(problem, place=_at(path, records.line_num), fix=fix) from error


def _tsv(path: Path, sha: "_Hash") -> Iterator[Row]:
    """Tab-separated values with a header, as IANA's text/tab-separated-values has them: a line a row, no quotes.

    A quotation mark is a sign like any other, so that a sentence of direct speech keeps it. Values that were quoted as
    in CSV are refused where it shows, by a doubled mark or a quoted header.
    """
    header: list[str] = []
    for number, line in _lines(path, sha):
        text = line.removesuffix("\n").removesuffix("\r")
        if not text:
            continue
        values = text.split("\t")
        if "\r" in text or any(_QUOTED.fullmatch(value) for value in values) or (not header and '"' in text):
            raise DataError(
                "has values that are quoted, or hold a line break, as in CSV", place=_at(path, number), fix=_PLAIN
            )
        if not header:
            header = _header(values, path)
        elif len(values) != len(header):
            raise DataError(
                f"has {numbered(len(values), 'value')} for {numbered(len(header), 'column')}",
                place=_at(path, number),
                fix=_PLAIN,
            )
        else:
            yield dict(zip(header, values, strict=True))


def _refuse_other_separator(header: list[str], path: Path) -> None:
    if len(header) == 1 and (found := re.search(r"[;\t|]", header[0])):
        raise DataError(
            f"separates its columns by {found[0]!r}, not by commas",
            place=_at(path, 1),
            fix="Save it with commas, or, where it is a tab, under a name that ends in .tsv",
        )


def _header(record: list[str], path: Path) -> list[str]:
    if len(record) > MAX_COLUMNS:
        raise DataError(f"has {len(record):,} columns; the limit is {MAX_COLUMNS:,}", place=path)
    twice = sorted(name for name, count in Counter(record).items() if count > 1)
    if twice:
        raise DataError(f"names a column twice: {', '.join(twice)}", place=path)
    return record


def _parquet(path: Path, sha: "_Hash") -> Iterator[Row]:
    """Apache Parquet; the values are what pyarrow makes of them."""
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            sha.update(chunk)
        stream.seek(0)
        for batch in parquet_batches(stream, path):
            yield from bounded_rows(batch, path)


def _conll(path: Path, sha: "_Hash") -> Iterator[Row]:
    """CoNLL columns: a token a line with its tag in the last column, a blank line after each sentence.

    Columns are parted by tabs, or by spaces where a line has none; `-DOCSTART-` lines are left out. Every row is
    `{"tokens": [...], "tags": [...]}`.
    """
    sentence: list[list[str]] = []
    width = 0
    for number, line in _lines(path, sha):
        text = line.strip(" \t\r\n")
        if not text or text.startswith("-DOCSTART-"):
            if sentence:
                yield _sentence(sentence)
            sentence = []
            continue
        columns = text.split("\t") if "\t" in text else text.split(" ")
        columns = [column for column in columns if column]
        width = width or len(columns)
        if len(columns) < 2 or len(columns) != width:
            need = f"not {width} like those before" if width > 1 else "and needs two: the token and its tag"
            raise DataError(f"has {numbered(len(columns), 'column')}, {need}", place=_at(path, number))
        sentence.append(columns)
    if sentence:
        yield _sentence(sentence)


def _sentence(lines: list[list[str]]) -> Row:
    return {"tokens": [line[0] for line in lines], "tags": [line[-1] for line in lines]}


READERS: Mapping[str, Callable[[Path, "_Hash"], Iterator[Row]]] = {
    ".jsonl": _jsonl,
    ".json": _json,
    ".csv": _csv,
    ".tsv": _tsv,
    ".parquet": _parquet,
    ".conll": _conll,
}
"""The formats that can be read, by extension in lower case."""
