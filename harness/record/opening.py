"""The one door to the files of a record, which anybody may have written: regular files of bounded size, no links.

A link would lead to a file of the reader's, a pipe would hold the reader up for ever, and a device has no end.
"""

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any

from harness.core.errors import RecordError
from harness.core.text.jsontext import parse_json

__all__ = [
    "RESTORE",
    *("formed", "is_there", "json_document", "json_object", "listed", "opened", "parsed", "read_bytes", "read_json"),
    "sha256_of",
]

RESTORE = "Take the record from a copy, or evaluate again into another folder"
"""What to do about a file of a record that can't be read."""
_LARGEST_BYTES = 64 << 30
"""Of a journal, which is read line by line."""
_DOCUMENT_BYTES = 512 << 20
"""Of what is read as a whole."""
_MOST_VALUES = 20_000_000
"""Numbers, texts and lists in a JSON document: each takes some fifty bytes of memory, however short it is written."""
_MOST_FILES = 10_000
_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


@contextmanager
def opened(path: Path, limit_bytes: int = _LARGEST_BYTES) -> Iterator[BufferedReader]:
    """The file, to be read. Raises `FileNotFoundError` where there is none, `RecordError` for what is no such file."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):  # before it is opened, which may do something to a device
            raise _irregular(path)
        descriptor = os.open(path, _FLAGS)
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:  # a name with a NUL is a ValueError
        if getattr(error, "errno", None) == errno.ELOOP:
            raise _irregular(path) from error
        raise RecordError(f"can't be read ({getattr(error, 'strerror', None) or error})", place=_short(path)) from error
    with os.fdopen(descriptor, "rb") as stream:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise _irregular(path)
        if status.st_size > limit_bytes:
            raise RecordError(f"has {status.st_size:,} bytes; the limit is {limit_bytes:,}", place=path, fix=RESTORE)
        try:
            yield stream
        except OSError as error:
            raise RecordError(f"can't be read ({error.strerror or error})", place=path) from error


def _irregular(path: Path) -> RecordError:
    problem = "is a link" if path.is_symlink() else "is not a regular file"
    return RecordError(problem, place=path, fix="The files of a record are regular files; don't trust this one")


def _short(path: Path) -> str:
    text = str(path)
    return text if len(text) <= 300 else f"{text[:300]}…"


def read_bytes(path: Path, limit_bytes: int = _DOCUMENT_BYTES) -> bytes:
    """All bytes of the file. Raises as `opened` does."""
    with opened(path, limit_bytes) as stream:
        content = stream.read(limit_bytes + 1)
    if len(content) > limit_bytes:  # it grew since
        raise RecordError(f"has more than {limit_bytes:,} bytes", place=path, fix=RESTORE)
    return content


def read_json(path: Path) -> Any:
    """The value of a JSON file. Raises as `opened` does, and `ValueError` for what is no JSON that fits the memory."""
    return parsed(read_bytes(path))


def parsed(content: bytes) -> Any:
    """The value of a JSON document. Raises `ValueError` as `parse_json` does, and for one of too many values."""
    if sum(map(content.count, (b",", b"[", b"{"))) > _MOST_VALUES:
        raise ValueError(f"it holds more than {_MOST_VALUES:,} values")
    return parse_json(content)


def sha256_of(path: Path) -> str:
    """SHA-256 of the file, as 64 hexadecimal digits. Raises as `opened` does."""
    with opened(path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def is_there(path: Path) -> bool:
    """Whether anything of that name is there, be it a link that leads nowhere."""
    try:
        path.lstat()
    except (OSError, ValueError):
        return False
    return True


def listed(folder: Path, ending: str) -> list[Path]:
    """The files of a folder in a record whose names end so, by name; none where there is no such folder.

    Raises `RecordError` where it is a link, can't be read, or holds too many.
    """
    if not is_there(folder):
        return []
    if folder.is_symlink() or not folder.is_dir():
        raise RecordError("is not a folder", place=folder, fix="Don't trust this record")
    try:
        names = [one.name for one in folder.iterdir() if one.name.endswith(ending) and not one.name.startswith(".")]
    except OSError as error:
        raise RecordError(f"can't be read ({error.strerror})", place=folder, fix="Fix its permissions") from error
    if len(names) > _MOST_FILES:
        raise RecordError(f"holds {len(names):,} files; the limit is {_MOST_FILES:,}", place=folder)
    return [folder / name for name in sorted(names)]


@contextmanager
def formed(path: Path, what: str) -> Iterator[None]:
    """Raises `RecordError` where a file is JSON, and yet not what it should hold."""
    try:
        yield
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
        raise RecordError(f"is not {what}", place=path, fix="`harness verify` says whether it was changed") from error


def json_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file. Raises `RecordError`."""
    value = json_document(path)
    if not isinstance(value, dict):
        raise RecordError("is not a JSON object", place=path, fix="`harness verify` says whether it was changed")
    return value


def json_document(path: Path) -> Any:
    """The JSON value in a file. Raises `RecordError`."""
    try:
        return read_json(path)
    except FileNotFoundError as error:
        raise RecordError(
            "is missing, so this run is not finished", place=path, fix="`harness runs` lists the runs"
        ) from error
    except ValueError as error:
        raise RecordError("is not JSON", place=path, fix=RESTORE) from error
