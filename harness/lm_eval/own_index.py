"""The names of the tasks that come with lm-evaluation-harness, read from its 14,000 files once a version of them."""

import json
import logging
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import lm_eval.tasks
from lm_eval.tasks._index import Entry, Kind, TaskIndex
from pydantic import TypeAdapter, ValidationError

from harness.core.errors import UnavailableError
from harness.core.process.paths import cache_folder, new_cached_file
from harness.core.text.hashing import SHORT, digest

__all__ = ["own_index"]

_Kept = dict[str, tuple[str, int | None, list[str]]]
"""By name: the kind, the number of its file among all (none for a tag), and its tags or, of a tag, its tasks."""

_kept: TypeAdapter[_Kept] = TypeAdapter(_Kept)
_log = logging.getLogger(__name__)


@cache
def own_index() -> dict[str, Entry]:
    """The tasks, groups and tags that come with lm-eval, by name.

    Reading them takes seconds, so that they are kept in the cache until any of lm-eval's files changes. What a task
    says is read from its own file whenever it is loaded.
    """
    folder = Path(lm_eval.tasks.__file__).parent
    files = sorted(_files(folder))
    names = [name for name, _ in files]
    place = cache_folder() / "lm-eval" / f"{digest(files)[:SHORT]}.json"
    found = _read(place, folder, names)
    if found is None:
        found = TaskIndex.build([folder])
        try:
            _keep(found, place, folder, names)
        except UnavailableError as error:
            _log.info("lm-eval's tasks will be read again the next time: %s", error)
    return found


def _files(folder: Path) -> Iterator[tuple[str, str]]:
    """Each file below a folder, with what changes when it does: its size and the time of its last change."""
    for path, _, names in os.walk(folder):
        if Path(path).name == "__pycache__":
            continue
        for name in names:
            try:
                about = (Path(path) / name).stat()
            except OSError:  # such as an editor's lock, a link to nothing: lm-eval leaves out what it can't read
                continue
            yield (Path(path) / name).relative_to(folder).as_posix(), f"{about.st_size} {about.st_mtime_ns}"


def _read(place: Path, folder: Path, names: list[str]) -> dict[str, Entry] | None:
    """What is kept at a place, if it can be read."""
    try:
        kept = _kept.validate_json(place.read_bytes())
        return {
            name: Entry(name, Kind[kind], None if number is None else folder / names[number], tags=set(tags))
            for name, (kind, number, tags) in kept.items()
        }
    except (OSError, ValidationError, LookupError):
        return None


def _keep(index: dict[str, Entry], place: Path, folder: Path, names: list[str]) -> None:
    numbers: dict[Any, int] = {folder / name: number for number, name in enumerate(names)}
    kept = {name: (entry.kind.name, numbers.get(entry.yaml_path), sorted(entry.tags)) for name, entry in index.items()}
    with new_cached_file(place) as stream:
        stream.write(json.dumps(kept).encode())
