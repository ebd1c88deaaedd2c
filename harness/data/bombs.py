"""Data files that stand for far more than they hold, and rows without end: told before they fill the memory."""

import bz2
import gzip
import io
import json
import lzma
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, Any

from harness.core.errors import DataError
from harness.core.process.time_limit import OverLimit, data_bytes, time_limit
from harness.core.text.jsontext import distinct

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "MAX_JSON_BYTES",
    "MAX_LINE_BYTES",
    "RATIO",
    "bounded_lines",
    "bounded_rows",
    "parquet_batches",
    "refuse_data_bomb",
]

MAX_LINE_BYTES = 16 << 20
"""Four million tokens of English in one row."""
MAX_JSON_BYTES = 256 << 20
"""For a file that is one list, which has to be parsed as a whole."""
FREE_BYTES = 256 << 20
RATIO = 100
"""A packed file may stand for so many times its own size, beyond what is free to any; texts are packed to a tenth."""
ROW_BYTES = 200
"""What a row takes in Python, however little is in it."""
BATCH_ROWS = 256
BATCH_CPU_S = 60.0

_PACKED: Mapping[bytes, Callable[[IO[bytes]], Any]] = MappingProxyType(
    {
        b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
        b"BZh": bz2.BZ2File,
        b"\xfd7zXZ": lzma.LZMAFile,
    }
)
_ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06", b"7z\xbc\xaf", b"Rar!", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18")


def refuse_data_bomb(path: Path) -> None:
    """Raise `DataError` for a file that another library is to read, and that is none, an archive, or far too large.

    Tables in Parquet and packed texts are unpacked once to see what they stand for, and forgotten.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise DataError("is not a regular file", place=path)
    with path.open("rb") as stream:
        head = stream.read(265)
        stream.seek(0)
        if head.startswith(_ARCHIVES) or head[257:262] == b"ustar":
            raise DataError("is an archive", place=path, fix="Unpack it, and name the files in it")
        if head.startswith(b"PAR1"):
            for _ in parquet_batches(stream, path):
                pass
            return
        if path.suffix == ".json" and head.lstrip().startswith(b"["):
            _refuse_object(_whole(stream, path), str(path))
            return
        opener = next((opener for magic, opener in _PACKED.items() if head.startswith(magic)), None)
        lines = bounded_lines(stream if opener is None else opener(stream), path)
        _refuse_endless(lines, path, packed=opener is not None)


def _refuse_endless(lines: Iterator[bytes], path: Path, *, packed: bool) -> None:
    limit, count = _allowed(path), 0
    try:
        for number, line in enumerate(lines, start=1):
            count += len(line)
            if packed and count > limit:
                raise _too_much(path, limit)
            if line.startswith(b"{"):
                _refuse_object(line, f"{path}, line {number}")
    except (EOFError, gzip.BadGzipFile, lzma.LZMAError) as error:
        raise DataError(f"can't be unpacked ({error})", place=path) from error


def _whole(stream: IO[bytes], path: Path) -> bytes:
    content = stream.read(MAX_JSON_BYTES + 1)
    if len(content) > MAX_JSON_BYTES:
        raise DataError(
            f"has more than {MAX_JSON_BYTES:,} bytes, which is the limit for one list",
            place=path,
            fix="Put one object a line into a .jsonl file",
        )
    return content


def _refuse_object(line: bytes, place: str) -> None:
    """Refuse a JSON object in which a key occurs twice: readers differ in which they take."""
    try:
        json.loads(line, object_pairs_hook=distinct)
    except RecursionError as error:
        raise DataError("is nested too deeply", place=place) from error
    except json.JSONDecodeError:  # its reader says what is wrong
        return
    except ValueError as error:
        raise DataError(str(error), place=place) from error


def bounded_lines(stream: IO[bytes], path: Path) -> Iterator[bytes]:
    """The lines of a file; raises `DataError` for one of more than `MAX_LINE_BYTES`."""
    number = 0
    while line := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            raise DataError(
                f"has more than {MAX_LINE_BYTES:,} bytes, which is the limit for a line", place=f"{path}, line {number}"
            )
        yield line


def parquet_batches(stream: io.BufferedReader, path: Path) -> "Iterator[pa.RecordBatch]":
    """The table in a Parquet file, in pieces. Raises `DataError` for one that stands for far more than it holds.

    What the file says of its own size may be untrue, and leaves out what repeats, so what comes is counted.
    """
    import pyarrow as pa  # costs half a second, and few files need it
    import pyarrow.parquet as pq

    limit, count, before = _allowed(path), 0, data_bytes()
    try:
        with time_limit(BATCH_CPU_S, limit):
            file = pq.ParquetFile(stream)
            _refuse_table(file.metadata, path, limit)
            batches = file.iter_batches(batch_size=BATCH_ROWS, use_threads=False)
        while True:
            with time_limit(BATCH_CPU_S, limit):
                batch = next(batches, None)
                if batch is None:
                    return
                batch = pa.RecordBatch.from_arrays(
                    [_written_out(one) for one in batch.columns], names=batch.schema.names
                )
            count += batch.nbytes + ROW_BYTES * batch.num_rows
            if count > limit or data_bytes() - before > limit:
                raise _too_much(path, limit)
            yield batch
    except OverLimit as error:
        raise _too_much(path, limit) from error
    except pa.ArrowException as error:
        raise DataError(f"is not Parquet: {str(error).splitlines()[0]}", place=path) from error


def _written_out(column: Any) -> Any:
    """A column in which a value that repeats stands as often as it is meant."""
    return column.dictionary_decode() if hasattr(column, "dictionary_decode") else column


def bounded_rows(batch: "pa.RecordBatch", path: Path) -> list[dict[str, Any]]:
    """The rows of a piece; a number of one byte in a list takes eight as Python has it."""
    limit = _allowed(path)
    try:
        with time_limit(BATCH_CPU_S, limit):
            rows: list[dict[str, Any]] = batch.to_pylist()
            return rows
    except OverLimit as error:
        raise _too_much(path, limit) from error


def _refuse_table(about: Any, path: Path, limit: int) -> None:
    stated = sum(about.row_group(index).total_byte_size for index in range(about.num_row_groups))
    if max(stated, ROW_BYTES * about.num_rows) > limit or (about.num_rows and not about.num_columns):
        raise _too_much(path, limit)


def _allowed(path: Path) -> int:
    return FREE_BYTES + RATIO * path.stat().st_size


def _too_much(path: Path, limit: int) -> DataError:
    size = path.stat().st_size
    return DataError(
        f"has {size:,} bytes and stands for more than {limit:,}, the limit for a file of its size",
        place=path,
        fix="Save it as .jsonl",
    )
