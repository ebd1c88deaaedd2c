"""Pictures and sounds in requests: named by the digest of their bytes, which travel with the name and are kept once."""

import hashlib
from collections.abc import Iterable
from typing import Literal

from typing_extensions import override

from harness.core.errors import ModelError

__all__ = ["AUDIO", "IMAGE", "OBJECT", "MediaType", "Medium", "data_of", "media_type_of", "names_among"]

OBJECT = "\ufffc"
"""Stands in a context for each medium in turn: Unicode's object replacement character."""

MediaType = Literal["image/png", "audio/flac"]
IMAGE: MediaType = "image/png"
AUDIO: MediaType = "audio/flac"
_TYPES: tuple[MediaType, ...] = (IMAGE, AUDIO)


class Medium(str):
    """A picture (PNG) or a sound (FLAC): as a text, its type and the SHA-256 of its bytes, which are its `data`.

    Two with the same bytes are equal. What comes from a record is the text alone; see `data_of`.
    """

    __slots__ = ("data",)

    data: bytes

    def __new__(cls, media_type: MediaType, data: bytes) -> "Medium":
        """The medium of these bytes, which have to be of that type: they are not looked at."""
        made = super().__new__(cls, f"{media_type}:{hashlib.sha256(data).hexdigest()}")
        made.data = data
        return made

    @override
    def __reduce__(self) -> tuple[type["Medium"], tuple[MediaType, bytes]]:
        return Medium, (media_type_of(self), self.data)


def media_type_of(name: str) -> MediaType:
    """The type in a medium's name. Raises `ValueError` for what names none."""
    found, _, sha256 = name.partition(":")
    for one in _TYPES:
        if found == one and len(sha256) == 64 and set(sha256) <= set("0123456789abcdef"):
            return one
    raise ValueError(f"{name[:80]!r} names no medium")


def names_among(values: Iterable[object]) -> list[str]:
    """Those of the values, and of those in their lists and tuples, that name a medium, in their order."""
    parts = (part for value in values for part in (value if isinstance(value, list | tuple) else (value,)))
    return [part for part in parts if isinstance(part, str) and _names_one(part)]


def _names_one(text: str) -> bool:
    try:
        return bool(media_type_of(text))
    except ValueError:
        return False


def data_of(name: str) -> bytes:
    """The bytes of a medium. Raises `ModelError` for a name without them, as a record has it."""
    if not isinstance(name, Medium):
        raise ModelError(f"the bytes of {name[:80]} are not here")
    return name.data
