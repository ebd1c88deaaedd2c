"""Short digests of the rows, fields and lines of a run's JSON files, so that a later change can be named.

They name and don't prove: 32 bits each. What proves is the digest of the whole file.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.core.text.hashing import digest
from harness.record.opening import opened, read_json

__all__ = ["PARTS", "changed_parts", "has_parts", "parts_of"]

PARTS = "parts.json"
_LENGTH = 8

Parts = Mapping[str, Any] | Sequence[str]


def has_parts(name: str) -> bool:
    """Whether the file of that name is of a kind that has rows, fields or lines to tell apart."""
    return name.endswith((".json", ".jsonl"))


def parts_of(path: Path) -> Parts:
    """A digest for each field of an object, item of a list, or line; for lists in an object's fields, each item's.

    Raises `ValueError` for what is no JSON, `OSError` where the file can't be read.
    """
    if path.suffix == ".jsonl":
        with opened(path) as stream:
            return [hashlib.sha256(line.rstrip(b"\n")).hexdigest()[:_LENGTH] for line in stream]
    value = read_json(path)
    if isinstance(value, dict):
        return {name: _items(field) if isinstance(field, list) else _short(field) for name, field in value.items()}
    return _items(value) if isinstance(value, list) else [_short(value)]


def changed_parts(sealed: Parts, path: Path) -> list[str]:
    """What of a changed file is other than when its parts were taken, each part by its name; empty where none is."""
    try:
        found = parts_of(path)
        # What a line of a journal holds is seldom telling: its number is.
        value = [] if path.suffix == ".jsonl" else read_json(path)
    except ValueError:
        return ["it is no JSON any more"]
    if isinstance(sealed, Mapping) and isinstance(found, Mapping) and isinstance(value, dict):
        return list(_fields(sealed, found, value))
    if isinstance(sealed, Mapping) or isinstance(found, Mapping):
        return ["it holds something else altogether"]
    word = "line" if path.suffix == ".jsonl" else "row"
    return list(_rows(sealed, found, value, word, first=1))


def _fields(sealed: Mapping[str, Any], found: Mapping[str, Any], value: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(sealed.keys() | found.keys()):
        before, now = sealed.get(name), found.get(name)
        if before == now:
            continue
        if now is None:
            yield f"the field {name} is gone"
        elif before is None:
            yield f"the field {name} is new"
        elif isinstance(before, list) and isinstance(now, list):
            yield from _rows(before, now, value[name], name, first=0)
        else:
            yield f"the field {name}"


def _rows(sealed: Sequence[str], found: Sequence[str], value: Sequence[Any], word: str, *, first: int) -> Iterator[str]:
    known = set(sealed)
    new = [at for at, row in enumerate(found) if row not in known]
    yield from (f"{word} {at + first}{_label(value, at)}" for at in new)
    gone = sum((Counter(sealed) - Counter(found)).values()) - len(new)
    if gone > 0:
        yield f"{gone} of {len(sealed)} {word}s are gone"
    elif not new and sealed != found:
        yield f"its {word}s stand in another order, or twice"


def _label(value: Sequence[Any], at: int) -> str:
    row = value[at] if at < len(value) else None
    names = ("suite", "task", "metric", "group")
    told = "/".join(str(row[name]) for name in names if row.get(name)) if isinstance(row, dict) else ""
    return f" ({told})" if told else ""


def _items(values: Sequence[Any]) -> list[str]:
    return [_short(value) for value in values]


def _short(value: Any) -> str:
    return digest(value)[:_LENGTH]
