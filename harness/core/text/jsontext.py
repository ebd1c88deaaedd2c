"""JSON that others may have written."""

import json
import math
import re
from collections import Counter
from typing import Any, NoReturn

from harness.core.text.hashing import MAX_INTEGER

__all__ = ["distinct", "parse_json", "refuse_half_pairs"]

_ESCAPED = re.compile(r"\\u[dD][89a-fA-F]")
"""Half of a pair, or one of two; the pattern begins with what is rare, so that texts of megabytes take no time."""


def parse_json(content: str | bytes) -> Any:
    """The value of a JSON text, such that what `canonical_json` made of a value gives the same bytes again.

    Bytes are read as UTF-8. A whole number beyond `MAX_INTEGER` is a float: canonical JSON writes such floats as whole
    numbers, and holds no others. Raises `ValueError` for what is no JSON, NaN and infinity among it, for a key that
    stands twice (readers differ in which of the two they take), for half of a surrogate pair, which no file or database
    takes, or what is nested too deeply.
    """
    text = content if isinstance(content, str) else content.decode()
    try:
        value = json.loads(
            text, parse_int=_whole, parse_float=_finite, parse_constant=_refuse, object_pairs_hook=distinct
        )
        refuse_half_pairs(text, value)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    return value


def distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON, as `object_pairs_hook` of `json.loads`. Raises `ValueError` where a key occurs twice in it."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise ValueError(f"the key {twice!r} occurs twice in an object")
    return found


def refuse_half_pairs(text: str, value: Any) -> None:
    """Raise `ValueError` where the `value` of a JSON text holds half of a surrogate pair, which is no character."""
    try:
        text.encode()  # fails for a half that stands in it as it is
        if _ESCAPED.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ValueError("it holds half of a surrogate pair, which is no character") from error


def _whole(text: str) -> int | float:
    if len(text) <= len(str(MAX_INTEGER)) + 1 and abs(number := int(text)) <= MAX_INTEGER:
        return number
    return _finite(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text:.40} is too large a number")
    return number


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON number")
