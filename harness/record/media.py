"""The pictures and sounds of a run, each a file in its folder that is named by the digest of its bytes."""

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

from harness.core.errors import RecordError
from harness.core.media import AUDIO, IMAGE, MediaType, Medium, media_type_of, names_among
from harness.core.requests import Request
from harness.record.files import make_folder, write_whole
from harness.record.opening import read_bytes

__all__ = ["FOLDER", "file_of", "grid_of", "keep_media", "media_in", "media_names", "require_media", "stored_medium"]

FOLDER = "media"
_ENDINGS: dict[MediaType, str] = {IMAGE: "png", AUDIO: "flac"}
_MOST = 5_000
_MOST_BYTES = 1 << 29
"""Of all media that a run keeps; those that come later are known by their digests alone."""
_LARGEST_BYTES = 64 << 20


def media_in(request: Request) -> list[Medium]:
    """The pictures and sounds of a request, in the order of its fields."""
    named = names_among(getattr(request, one.name) for one in fields(request))
    return [name for name in named if isinstance(name, Medium)]


def media_names(settings: object) -> list[str]:
    """The names of the media of a request, by the column `settings` of its row; none for what names none.

    A request that has no settings has no text there: None, or the NaN of a table.
    """
    return names_among(_told(settings).values())


def grid_of(settings: object) -> tuple[int, int] | None:
    """Rows and columns of the grid by which a request explains a picture, by its settings as in `media_names`.

    A sound's is one row of its segments.
    """
    told = _told(settings)
    grid = told.get("grid", [1, told.get("segments")])
    if not isinstance(grid, list) or len(grid) != 2 or not all(type(one) is int and 0 < one <= 64 for one in grid):
        return None
    return grid[0], grid[1]


def _told(settings: object) -> dict[str, Any]:
    try:
        told = json.loads(settings) if isinstance(settings, str) else {}
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def keep_media(folder: Path, media: Iterable[Medium]) -> list[str]:
    """Write each medium once, as far as there is room; the names of the files, relative to the run's folder.

    Raises `RecordError` where they can't be written.
    """
    kept: dict[str, None] = {}
    size_bytes = 0
    for medium in media:
        name = file_of(medium)
        if name in kept or len(kept) >= _MOST or size_bytes + len(medium.data) > _MOST_BYTES:
            continue
        path = folder / name
        make_folder(path.parent)
        if not path.is_file():
            write_whole(path, medium.data)
        kept[name] = None
        size_bytes += len(medium.data)
    return list(kept)


def stored_medium(folder: Path, name: str) -> Medium | None:
    """The medium of that name as a run keeps it; None where it has none, or other bytes under this name.

    Raises `RecordError` for a file that can't be read, and `ValueError` for a name of none.
    """
    try:
        data = read_bytes(folder / file_of(name), _LARGEST_BYTES)
    except FileNotFoundError:
        return None
    if hashlib.sha256(data).hexdigest() != name.rpartition(":")[2]:
        return None
    return Medium(media_type_of(name), data)


def require_media(folder: Path, names: Collection[str]) -> None:
    """Raises `RecordError` where a run doesn't keep all media of these names."""
    lacking = sum(not (folder / file_of(name)).is_file() for name in names)
    if lacking:
        raise RecordError(
            f"lacks {lacking:,} of the {len(names):,} pictures and sounds that were asked about",
            place=folder / FOLDER,
            fix=f"A run keeps {_MOST:,} at most, in {_MOST_BYTES >> 20} MiB: run again with a smaller --limit. If it "
            "had fewer, `harness verify` says which were taken away",
        )


def file_of(name: str) -> str:
    """The file of a medium in a run's folder. Raises `ValueError` for a name of none."""
    return f"{FOLDER}/{name.rpartition(':')[2]}.{_ENDINGS[media_type_of(name)]}"
