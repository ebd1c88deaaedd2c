"""Text that any database can hold, and back: PostgreSQL refuses NUL, both refuse halves of surrogate pairs."""

import re

from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator
from typing_extensions import override

__all__ = ["AnyText", "escape", "unescape"]

_ESCAPE = "\u241b"
"""The symbol for "escape": rare enough that nearly every text is kept as it is."""

_UNSAFE = re.compile(f"[\0{_ESCAPE}\ud800-\udfff]")
_ESCAPED = re.compile(f"{_ESCAPE}([0-9a-f]{{4}})")


def escape(text: str) -> str:
    """The text with every character that a database refuses written as `␛` and four hexadecimal digits."""
    return _UNSAFE.sub(lambda found: f"{_ESCAPE}{ord(found[0]):04x}", text)


def unescape(text: str) -> str:
    """The inverse of `escape`."""
    if _ESCAPE not in text:
        return text
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


class AnyText(TypeDecorator[str]):
    """A column for any Python string, whatever a model, a file or a user put into it."""

    impl = Text
    cache_ok = True

    @override
    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """What is written."""
        return None if value is None else escape(value)

    @override
    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """What is read."""
        return None if value is None else unescape(value)
