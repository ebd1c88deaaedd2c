"""An append-only file of JSON lines, each with a checksum, durable line by line."""

import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from harness.core.errors import RecordError
from harness.core.text.hashing import canonical_json
from harness.core.text.jsontext import parse_json
from harness.record.files import PRIVATE, writing
from harness.record.opening import opened

__all__ = ["Journal", "read_lines"]


_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)


class Journal:
    """Open for appending. A half-written last line, left by a crash, is cut off on opening: see `dropped_bytes`.

    Raises `RecordError` where the file can't be written, or is damaged anywhere but at its end.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: list[dict[str, Any]] = []
        self.dropped_bytes = 0
        with writing(path):
            self._descriptor = os.open(path, _FLAGS, PRIVATE)
            sound_bytes = 0
            for entry, sound_bytes in read_lines(path):  # noqa: B007 - the last one is used below
                self.entries.append(entry)
            self.dropped_bytes = os.fstat(self._descriptor).st_size - sound_bytes
            if self.dropped_bytes:
                os.ftruncate(self._descriptor, sound_bytes)

    def append(self, entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """Append JSON objects, and give them as a later process reads them; then they are on the disk.

        Raises `RecordError` where the file can't be written, or for what JSON can't hold.
        """
        try:
            bodies = [canonical_json(entry) for entry in entries]
        except ValueError as error:
            raise RecordError(f"what it should keep can't be written as JSON: {error}", place=self.path) from error
        with writing(self.path):
            left = memoryview(b"".join(map(_line, bodies)))
            while left:
                left = left[os.write(self._descriptor, left) :]
            os.fsync(self._descriptor)
        return list(map(parse_json, bodies))

    def close(self) -> None:
        """Close the file; appending afterwards fails."""
        os.close(self._descriptor)


def read_lines(path: Path) -> Iterator[tuple[dict[str, Any], int]]:
    """The sound entries of a journal, each with the file offset behind it.

    Stops before a half-written last line. Raises `RecordError` naming a damaged line with sound ones behind it.
    """
    offset = 0
    damaged: int | None = None
    with opened(path) as stream:
        for number, line in enumerate(stream, start=1):
            entry = _parse(line)
            if entry is None:
                damaged = damaged or number
                continue
            if damaged is not None:
                raise RecordError(
                    f"line {damaged} is damaged, but later lines are intact",
                    place=path,
                    fix="Restore the run's folder from a copy, or delete it and run again",
                )
            offset += len(line)
            yield entry, offset


def _line(body: bytes) -> bytes:
    return b'{"crc32":"%08x","entry":%s}\n' % (zlib.crc32(body), body)


def _parse(line: bytes) -> dict[str, Any] | None:
    """The entry of a line, or None if the line is cut short or its checksum is wrong."""
    head, body, tail = line[:28], line[28:-2], line[-2:]
    if head != b'{"crc32":"%08x","entry":' % zlib.crc32(body) or tail != b"}\n":
        return None
    try:
        entry = parse_json(body)
    except ValueError:  # the checksum is right, and so somebody wrote it so
        return None
    return entry if isinstance(entry, dict) else None
