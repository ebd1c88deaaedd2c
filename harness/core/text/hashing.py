"""Content digests: one canonical form for values, one for files."""

import hashlib
from pathlib import Path
from typing import Any

import rfc8785

__all__ = ["MAX_INTEGER", "SHORT", "canonical_json", "digest", "file_digest"]

MAX_INTEGER = 2**53 - 1
"""The largest whole number that canonical JSON holds, and so the largest that a run's spec or a request can name."""

SHORT = 12
"""Characters of a digest that are shown to people and used as a run id (48 bits)."""


def canonical_json(value: Any) -> bytes:
    """The RFC 8785 form of a JSON value: same value, same bytes, on every machine.

    Every finite float has a form, whole ones of any size among them; -0.0 is written as 0, which equals it. Raises
    `ValueError` for what JSON can't hold: NaN and infinity, and integers beyond `MAX_INTEGER`, among it; and for what
    is nested too deeply.
    """
    try:
        return rfc8785.dumps(value)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON of `value`, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, as 64 hexadecimal digits. Raises `OSError` if it can't be read."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
