"""Which choice a cell of a gold column means: one rule, whatever the format of the file and the type of the task."""

import math
import re
from collections.abc import Sequence
from typing import Any, Literal

from harness.core.errors import DataError

__all__ = ["GoldReading", "gold_index", "refuse_doubt"]

GoldReading = Literal["text", "index", "letter"]

_WHOLE = re.compile(r"\d{1,9}(\.0+)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)


def gold_index(value: Any, choices: Sequence[str], column: str, reading: GoldReading | None = None) -> int:
    """Which of the choices a cell means: by a choice's text, by an index from 0, or by a letter from A.

    Numbers and their digits are the same, so that a JSON file and a CSV file are read alike; a text fits whatever its
    case where no other fits better. With a `reading` the cell is read in that way alone. Without one, a cell that is
    the text of one choice and the index of another is refused; a letter counts where nothing else fits. Raises
    `DataError` naming the column.
    """
    found = {kind: index for kind, index in _readings(value, choices, column).items() if reading in (None, kind)}
    if not found:
        wanted = f"no {reading}" if reading else "no index, no letter and none of the choices"
        counted = f"; there are {len(choices)}, counted from 0" if _number(value) is not None else ""
        raise DataError(f"field {column!r} holds {value!r:.40}, which is {wanted}{counted}")
    if {"text", "index"} <= found.keys() and found["text"] != found["index"]:
        raise DataError(
            f"field {column!r} holds {value!r:.40}, which is the text of one choice and the index, from 0, of another "
            f"({choices[found['index']]!r:.40})",
            fix="Say which it is in the task: `gold_is: text` or `gold_is: index`",
        )
    return next(iter(found.values()))


def refuse_doubt(value: Any, choices: Sequence[str], column: str) -> None:
    """Raises `DataError` for a cell by which a whole column may be read wrongly, though this row isn't asked.

    That is one with two meanings, and a number that is just one too large for an index, as if they began at 1.
    """
    if _readings(value, choices, column) or _number(value) == len(choices):
        gold_index(value, choices, column)


def _readings(value: Any, choices: Sequence[str], column: str) -> dict[GoldReading, int]:
    """Every way in which the cell can be read, with the index that it gives."""
    found: dict[GoldReading, int] = {}
    text = "" if value is None else str(value).strip()
    matching = _matching(text, choices)
    if len(matching) > 1:
        raise DataError(f"field {column!r}: the gold choice {text!r:.40} occurs twice")
    if matching:
        found["text"] = matching[0]
    number = _number(value)
    if number is not None and number < len(choices):
        found["index"] = number
    if isinstance(value, str) and len(text) == 1 and text.isascii() and text.isalpha():
        letter = ord(text.upper()) - ord("A")
        if letter < len(choices):
            found["letter"] = letter
    return found


def _matching(text: str, choices: Sequence[str]) -> list[int]:
    """The choices whose text it is: letter by letter if any is, else but for the case, else as the same number."""
    stripped = [choice.strip() for choice in choices]
    number = float(text) if _NUMBER.fullmatch(text) else math.nan
    for alike in (
        [one == text for one in stripped],
        [one.casefold() == text.casefold() for one in stripped],
        [bool(_NUMBER.fullmatch(one)) and float(one) == number for one in stripped],
    ):
        if text and any(alike):
            return [index for index, fits in enumerate(alike) if fits]
    return []


def _number(value: Any) -> int | None:
    """The whole number from 0 up that a cell holds, as a number or in digits."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return int(float(text)) if _WHOLE.fullmatch(text := str(value).strip()) else None
