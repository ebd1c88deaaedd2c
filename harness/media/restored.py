"""Requests out of a record, with the bytes of what they show and play."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path

from harness.core.errors import RecordError
from harness.core.media import AUDIO, IMAGE, Medium, media_type_of, names_among
from harness.core.requests import Request
from harness.core.text.hashing import file_digest
from harness.media.admission import admit

__all__ = ["names_in", "with_bytes"]


def names_in(request: Request) -> list[str]:
    """The names of its pictures and sounds."""
    return names_among(getattr(request, one.name) for one in fields(request))


def with_bytes(requests: Sequence[Request], files: Mapping[str, Path]) -> list[Request]:
    """Each request with its media, `files` being theirs by name; they are read in a process of their own.

    Raises `RecordError` for a medium whose file isn't there, or isn't what its name says.
    """
    found: dict[str, Medium] = {}
    for media_type in (IMAGE, AUDIO):
        names = sorted(
            {name for request in requests for name in names_in(request) if media_type_of(name) == media_type}
        )
        for name, medium in zip(names, admit([files[name] for name in names], media_type), strict=True):
            if medium != name or not isinstance(medium, Medium):
                raise _unlike(name, medium, files[name])
            found[name] = medium
    return [_filled(request, found) for request in requests]


def _unlike(name: str, found: Medium | str, path: Path) -> RecordError:
    """What to say of a file that isn't the medium of that name, or can't be read at all."""
    if not isinstance(found, Medium):
        return RecordError(found, place=path, fix="`harness verify` says whether it was changed")
    if file_digest(path) == name.rpartition(":")[2]:
        return RecordError(
            "isn't written as the libraries here write the same picture or sound",
            place=path,
            fix="Ask where the run was made, or with its versions of Pillow and soundfile",
        )
    return RecordError(
        "holds another picture or sound than its name says",
        place=path,
        fix="`harness verify` says whether it was changed",
    )


def _filled(request: Request, found: Mapping[str, Medium]) -> Request:
    changed: dict[str, object] = {}
    for one in fields(request):
        value = getattr(request, one.name)
        if isinstance(value, str) and value in found:
            changed[one.name] = found[value]
        elif isinstance(value, tuple) and any(part in found for part in value if isinstance(part, str)):
            changed[one.name] = tuple(found.get(part, part) if isinstance(part, str) else part for part in value)
    return replace(request, **changed) if changed else request
