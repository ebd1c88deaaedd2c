"""What a template may get: plain values, copied. It can call the methods of anything else, and some of those act."""

import datetime
from collections.abc import Mapping, Set
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
from typing_extensions import override

__all__ = ["MAX_DEPTH", "Opaque", "plain_copy"]

MAX_DEPTH = 64

_AS_TEXT = (datetime.date, datetime.time, datetime.timedelta, Decimal, UUID)


class Opaque:
    """What stands for an image, a sound, a file or whatever else is no plain value: that it is there, and no more."""

    __slots__ = ("_kind",)

    def __init__(self, kind: str) -> None:
        self._kind = kind

    @override
    def __repr__(self) -> str:
        return f"<{self._kind}>"


def plain_copy(value: Any, depth: int = MAX_DEPTH) -> Any:
    """A copy of a value in which there are texts, numbers, truth values, None, lists, tuples and mappings alone.

    Dates, times and decimal numbers become texts, as a template would write them; numpy's numbers and all subclasses
    Python's own; anything else `Opaque`. Raises `ValueError` for what is nested deeper than `depth`.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | Opaque):
        return value
    if isinstance(value, _AS_TEXT):
        return str(value)
    if isinstance(value, str | int | float):
        return _bare(value)
    if depth == 0:
        raise ValueError(f"its values are nested more than {MAX_DEPTH} deep")
    if isinstance(value, Mapping):
        return {_key(name): plain_copy(inner, depth - 1) for name, inner in value.items()}
    if isinstance(value, list | tuple | Set):
        inner = (plain_copy(one, depth - 1) for one in value)
        return tuple(inner) if isinstance(value, tuple) else list(inner)
    return Opaque(type(value).__name__)


def _bare(value: str | float) -> str | float:
    """A text or a number without the methods of a subclass."""
    if isinstance(value, str):
        return str.__str__(value)
    return int.__int__(value) if isinstance(value, int) else float.__float__(value)


def _key(name: Any) -> Any:
    found = plain_copy(name) if isinstance(name, str | int | float | np.generic) or name is None else str(name)
    return str(found) if isinstance(found, Opaque) else found
