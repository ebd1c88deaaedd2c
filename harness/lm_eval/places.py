"""Where a task file of lm-evaluation-harness may read: below its own folder, and where the user says so by name."""

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import lm_eval.tasks

from harness.core.errors import TaskError
from harness.tasks.options import TaskOptions

__all__ = ["MAX_BYTES", "OWN_TASKS", "Places", "regular_bytes"]

OWN_TASKS = Path(lm_eval.tasks.__file__).resolve().parent
"""Where the tasks lie that come with lm-eval, an installed package."""
MAX_BYTES = 1_000_000
"""What a task file may have; the longest of lm-eval's own has 63,000."""


@dataclass(frozen=True, slots=True)
class Places:
    """Folders, as they are without links, and the beginnings of URLs that may be read."""

    folders: tuple[Path, ...]
    urls: tuple[str, ...] = ()

    @classmethod
    def of(cls, files: Iterable[Path], options: TaskOptions) -> "Places":
        """What the user's options allow, and the folders of the task files themselves."""
        urls = tuple(one for one in options.task_data if "://" in one)
        folders = [Path(one).expanduser() for one in options.task_data if one not in urls]
        around = (file.expanduser().parent.resolve() for file in files)
        folders += [OWN_TASKS if folder.is_relative_to(OWN_TASKS) else folder for folder in around]
        if options.include_path is not None:
            folders.append(options.include_path)
        return cls(tuple(dict.fromkeys(folder.resolve() for folder in folders)), urls)

    def holds(self, path: Path) -> bool:
        """Whether the file lies in one of the folders, wherever links lead."""
        real = path.resolve()
        return any(real.is_relative_to(folder) for folder in self.folders)

    def holds_url(self, url: str) -> bool:
        """Whether the user named what the URL begins with, up to a part of its path."""
        return any(url == one or url.startswith(f"{one.rstrip('/')}/") for one in self.urls)

    def refuse_elsewhere(self, path: Path, place: str | Path, what: str) -> None:
        """Raise `TaskError` for a file outside of the folders."""
        if not self.holds(path):
            raise TaskError(
                f"{what} {path.resolve()}, which lies outside of the task's folder",
                place=place,
                fix=f"Move it there, or add --task-data {path.resolve().parent} if the task may read that folder",
            )


def regular_bytes(path: Path, limit: int) -> bytes:
    """The bytes of a regular file. Raises `TaskError` for any other, and for one with more than `limit`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))  # else a FIFO would wait for a writer
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise TaskError("is not a regular file", place=path)
            content = stream.read(limit + 1)
    except OSError as error:
        raise TaskError(f"can't be read ({error.strerror})", place=path) from error
    if len(content) > limit:
        raise TaskError(f"has more than {limit:,} bytes", place=path, fix="Put rows into a data file")
    return content
