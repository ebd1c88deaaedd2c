"""What a sealed run says of each sample, as one canonical value, and the Merkle tree over all of them.

The leaf of a sample is the RFC 8785 form of its suite, task and id with its rows of `responses.parquet`,
`scores.parquet` and, where there is one, `attributions.parquet`. Leaves stand in the order of suite, task and id.
Fields without a value are left out; maps are lists of pairs, in their order; numbers that JSON lacks are the texts
`NaN`, `Infinity` and `-Infinity`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from harness.core.errors import RecordError
from harness.core.text.hashing import canonical_json
from harness.record.merkle import leaf_hash, tree_root
from harness.record.opening import RESTORE, is_there
from harness.record.parquet import read_table

__all__ = ["TABLES", "Leaf", "leaf_of", "leaves", "read_rows", "root_of", "samples"]

TABLES = ("responses", "scores", "attributions")
"""Tables of samples, each the Parquet file of its name; a run may lack any."""

_KEY = ("suite", "task", "sample_id")


@dataclass(frozen=True, slots=True)
class Leaf:
    """A sample's place in a run, and the hexadecimal digest of its leaf."""

    suite: str
    task: str
    sample_id: str
    sha256: str

    @property
    def name(self) -> str:
        """As people write it."""
        return f"{self.suite}/{self.task}/{self.sample_id}"


def samples(folder: Path) -> list[dict[str, Any]]:
    """Each sample of a run's tables as a canonical value, in the order of the tree.

    Raises `RecordError` for a table that can't be read.
    """
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for table in TABLES:
        path = folder / f"{table}.parquet"
        if not is_there(path):
            continue
        for row in read_rows(path):
            key = tuple(str(row.pop(name)) for name in _KEY)
            sample = found.setdefault(key, dict(zip(_KEY, key, strict=True)))  # type: ignore[arg-type]
            sample.setdefault(table, []).append(
                {name: _jsonable(value) for name, value in row.items() if value is not None}
            )
    return [found[key] for key in sorted(found)]


def leaf_of(sample: dict[str, Any]) -> Leaf:
    """The leaf of a value that `samples` gave. Raises `KeyError` or `ValueError` for anything else."""
    suite, task, sample_id = (sample[name] for name in _KEY)
    return Leaf(suite, task, sample_id, leaf_hash(canonical_json(sample)).hex())


def leaves(folder: Path) -> list[Leaf]:
    """The leaves of a run's tables. Raises as `samples` does."""
    return [leaf_of(sample) for sample in samples(folder)]


def root_of(found: Sequence[Leaf]) -> str:
    """The root over leaves in their order, in hexadecimal."""
    return tree_root([bytes.fromhex(leaf.sha256) for leaf in found]).hex()


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a table, as they stand in it. Raises `RecordError` where it can't be read."""
    try:
        rows: list[dict[str, Any]] = read_table(path).to_pylist()
    except (OSError, ValueError, MemoryError, pa.ArrowException) as error:
        raise RecordError("is damaged", place=path, fix=RESTORE) from error
    if rows and not rows[0].keys() >= set(_KEY):
        raise RecordError(f"lacks the columns {', '.join(_KEY)}", place=path, fix=RESTORE)
    return rows


def _jsonable(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, list | tuple):
        return [_jsonable(part) for part in value]
    return value
