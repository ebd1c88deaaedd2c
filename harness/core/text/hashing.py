"""Content digests: one canonical form for values, one for files."""

import hashlib
from json.encoder import encode_basestring
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
        return _form(value).encode()
    except (TypeError, UnicodeEncodeError, RecursionError):
        pass  # the library says what is wrong with it
    try:
        return rfc8785.dumps(value)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _form(value: Any) -> str:
    """The form of a plain value in a third of the library's time, which is left with what is rare.

    Raises `TypeError` for keys that are no texts, and what the library raises.
    """
    kind = type(value)
    if kind is str:
        return encode_basestring(value)
    if kind is dict:
        keys = sorted(value) if all(map(str.isascii, value)) else sorted(value, key=_utf16)
        return "{" + ",".join([f"{encode_basestring(key)}:{_form(value[key])}" for key in keys]) + "}"
    if kind is list or kind is tuple:
        return "[" + ",".join([_form(one) for one in value]) + "]"
    if kind is int and abs(value) <= MAX_INTEGER:
        return str(value)
    # Python writes these as ECMAScript does, but for the ".0" of whole ones.
    if kind is float and 1e-4 <= abs(value) < 1e16:
        return repr(value).removesuffix(".0")
    return rfc8785.dumps(value).decode()


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be")


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON of `value`, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, as 64 hexadecimal digits. Raises `OSError` if it can't be read."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
