"""Parquet tables of a record, which anybody may have written: a few kilobytes can hold gigabytes of the same value."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from harness.core.errors import RecordError
from harness.record.opening import RESTORE, opened
from harness.record.tables import SCHEMAS

__all__ = ["check_table", "read_table"]

_MOST_BYTES = 2 << 30
_FLOOR_BYTES = 64 << 20
_MOST_PER_BYTE = 1000
"""A table may take that many times its file in memory, and `_FLOOR_BYTES` more; real ones take some hundred times."""
_CELL_BYTES = 16
"""What a value takes at least, once it is one of Python's."""
_MOST_COLUMNS = 100
_BATCH_ROWS = 16_384
_FIX = "Don't trust this record"


def check_table(path: Path) -> None:
    """Raises `RecordError` for a table that is none, is damaged, or would take far more memory than its file.

    Texts are counted without being written out, however often one is repeated.
    """
    _read(path, None)


def read_table(path: Path, columns: Sequence[str] | None = None, filters: Any = None) -> pa.Table:
    """A table of a record, or some of its columns and rows. Raises `RecordError`, `FileNotFoundError`."""
    table = _read(path, (columns, filters))
    assert table is not None
    return table


def _read(path: Path, wanted: tuple[Sequence[str] | None, Any] | None) -> pa.Table | None:
    with opened(path) as stream:
        try:
            _check(stream, path)
            if wanted is None:
                return None
            stream.seek(0)
            columns, filters = wanted
            return pq.read_table(
                stream,
                columns=None if columns is None else list(columns),
                filters=filters,
                page_checksum_verification=True,
                use_threads=False,
            )
        except RecordError:
            raise
        except (
            OSError,
            ValueError,
            KeyError,
            OverflowError,
            MemoryError,
            NotImplementedError,
            pa.ArrowException,
        ) as error:
            raise RecordError("is damaged", place=path, fix=RESTORE) from error


def _check(stream: Any, path: Path) -> None:
    size_bytes = stream.seek(0, 2)
    stream.seek(0)
    limit = min(_MOST_BYTES, _FLOOR_BYTES + _MOST_PER_BYTE * size_bytes)
    plain = pq.ParquetFile(stream)
    _check_types(plain.schema_arrow, path)
    about, columns = plain.metadata, plain.metadata.num_columns
    groups = [about.row_group(at) for at in range(about.num_row_groups)]
    chunks = [group.column(at) for group in groups for at in range(columns)]
    unpacked = sum(chunk.total_uncompressed_size for chunk in chunks)
    cells = sum(max(chunk.num_values, about.num_rows // max(1, len(groups))) for chunk in chunks)
    if columns > _MOST_COLUMNS or unpacked > limit or cells * _CELL_BYTES > limit:
        raise _too_large(path, size_bytes, limit)
    texts = [
        plain.schema.column(at).path for at in range(columns) if plain.schema.column(at).physical_type == "BYTE_ARRAY"
    ]
    stream.seek(0)
    packed = pq.ParquetFile(stream, read_dictionary=texts, page_checksum_verification=True)
    taken = 0
    for batch in packed.iter_batches(batch_size=_BATCH_ROWS, use_threads=False):
        taken += sum(map(_plain_bytes, batch.columns))
        if taken > limit:
            raise _too_large(path, size_bytes, limit)


def _too_large(path: Path, size_bytes: int, limit: int) -> RecordError:
    return RecordError(
        f"is a table that takes more than {limit:,} bytes of memory, from {size_bytes:,} on the disk",
        place=path,
        fix=_FIX,
    )


def _check_types(schema: pa.Schema, path: Path) -> None:
    expected = SCHEMAS.get(path.stem)
    if expected is None:
        return
    for field in schema:
        known = expected.get_field_index(field.name)
        if known >= 0 and not pa.types.is_null(field.type) and _form(field.type) != _form(expected.field(known).type):
            raise RecordError(
                f"holds {field.name} as {field.type!s:.60}, not as {expected.field(known).type}",
                place=path,
                fix=_FIX,
            )


def _form(kind: pa.DataType) -> str:
    """A type without what makes no difference to its reader: the names of a list's items, the length of offsets."""
    if pa.types.is_map(kind):
        return f"map of {_form(kind.key_type)} to {_form(kind.item_type)}"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"list of {_form(kind.value_type)}"
    return str(kind).removeprefix("large_")


def _plain_bytes(array: pa.Array) -> int:
    """What an array takes when each of its values is written out."""
    taken = _CELL_BYTES * len(array)
    if isinstance(array, pa.DictionaryArray):
        lengths = pc.take(pc.binary_length(array.dictionary), array.indices)
        return taken + int(pc.sum(lengths).as_py() or 0)
    if isinstance(array, pa.StructArray):
        return taken + sum(_plain_bytes(array.field(at)) for at in range(array.type.num_fields))
    if isinstance(array, pa.MapArray):
        return taken + _plain_bytes(array.keys) + _plain_bytes(array.items)
    if isinstance(array, pa.ListArray | pa.LargeListArray | pa.FixedSizeListArray):
        return taken + _plain_bytes(array.flatten())
    return taken + int(array.nbytes)
