"""Frames as files for others to read."""

import io
import json
from collections.abc import Iterable
from typing import Any

import pandas as pd

__all__ = ["to_csv", "to_json"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def to_csv(frame: pd.DataFrame) -> bytes:
    """UTF-8 with a byte-order mark, as spreadsheets want it. A text that a spreadsheet would take for a formula gets
    an apostrophe in front; numbers stay numbers."""
    safe = frame.rename(columns=lambda name: _harmless(str(name))).map(_harmless)
    buffer = io.StringIO()
    safe.to_csv(buffer, index=False, lineterminator="\r\n")
    return b"\xef\xbb\xbf" + buffer.getvalue().encode("utf-8", errors="backslashreplace")


def to_json(frame: pd.DataFrame) -> bytes:
    """A list of objects, one a row; what is absent is null."""
    rows = [{str(name): _plain(value) for name, value in row.items()} for row in frame.to_dict("records")]
    text = json.dumps(rows, ensure_ascii=False, indent=2, allow_nan=False, default=str)
    return text.encode("utf-8", errors="backslashreplace")


def _harmless(value: Any) -> Any:
    if isinstance(value, list | tuple):
        value = ", ".join(map(str, value))
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return [_plain(one) for one in value]
    if value is None or pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value
