"""Where things are kept for the user, and how a file gets there whole."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from uuid import uuid4

import platformdirs

from harness.core.errors import UnavailableError

__all__ = ["cache_folder", "caching", "is_file", "is_folder", "new_cached_file", "public_name", "without_home"]


def cache_folder() -> Path:
    """The user's cache for data and converted checkpoints; `HARNESS_CACHE` moves it."""
    moved = os.environ.get("HARNESS_CACHE")
    return Path(moved) if moved else Path(platformdirs.user_cache_dir("responsible-eval-harness"))


def is_file(path: Path) -> bool:
    """Whether a file is there; no file has a name that is too long for one."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Whether a folder is there; none has a name that is too long for one."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def public_name(ref: str) -> str:
    """What a record calls a checkpoint: of a place that is named in full, the way from here, or its own name alone.

    A record is made to be given away, and where its maker keeps things is nobody's business.
    """
    path = Path(ref).expanduser() if ref.startswith("~") else Path(ref)
    if not path.is_absolute():
        return ref
    here = Path.cwd()
    return str(path.relative_to(here)) if path != here and path.is_relative_to(here) else path.name or ref


def without_home(text: str) -> str:
    """A text that may hold paths, with `~` in place of the user's home folder."""
    home = str(Path.home())
    return text if home == os.sep else re.sub(rf"{re.escape(home)}(?=/|\b)", "~", text)


@contextmanager
def caching(place: Path) -> Iterator[None]:
    """Turn an `OSError` of the block, such as a full disk, into one `UnavailableError` about `place` in the cache."""
    try:
        yield
    except OSError as error:
        raise UnavailableError(
            f"the cache can't be used ({error.strerror or error})",
            place=place,
            fix="Make room, fix its permissions, or set HARNESS_CACHE to another folder",
        ) from error


@contextmanager
def new_cached_file(target: Path) -> Iterator[IO[bytes]]:
    """A stream for the bytes of `target`, which appears whole when the block ends well, and not at all otherwise.

    Raises `UnavailableError` where the cache can't be written.
    """
    with caching(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        # Not the `tempfile` module: its files are for their owner alone, and caches are shared in teams.
        scratch = target.with_name(f".{target.name}.{uuid4().hex}")
        try:
            with scratch.open("xb") as stream:
                yield stream
            scratch.replace(target)
        except BaseException:
            scratch.unlink(missing_ok=True)
            raise
