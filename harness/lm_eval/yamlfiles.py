"""Reads the YAML of lm-eval tasks: plain values and marks for functions, of bounded size, nothing run.

lm-eval's own reader imports the functions that a file names while it parses the file. It follows includes to any file,
and aliases to billions of values.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from harness.core.errors import TaskError
from harness.core.process.time_limit import OverLimit, time_limit
from harness.lm_eval.places import MAX_BYTES, Places, regular_bytes

__all__ = ["Function", "TaskFile", "read_task_file"]

MAX_DEPTH = 50
MAX_VALUES = 100_000
"""With what aliases stand for; the largest of lm-eval's own has 2,500."""
MAX_FILES = 50
"""That one includes, directly or not."""

_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Function:
    """A `!function` tag, which lm-eval would import."""

    reference: str


class _MarkingLoader(_SafeLoader):  # type: ignore[misc]
    """Parses as lm-eval does, but marks functions instead of importing them."""


_MarkingLoader.add_constructor("!function", lambda _loader, node: Function(str(node.value)))


@dataclass(frozen=True, slots=True)
class TaskFile:
    """A task file: what it says itself, and the files that it includes."""

    path: Path
    config: dict[str, Any]
    included: tuple["TaskFile", ...]

    def files(self) -> Iterator["TaskFile"]:
        """This file, and then every file that it includes, directly or not."""
        yield self
        for one in self.included:
            yield from one.files()

    def merged(self) -> dict[str, Any]:
        """What it says with its includes, as lm-eval merges them: later ones win, and its own keys over all."""
        found: dict[str, Any] = {}
        for one in self.included:
            theirs = one.merged()
            theirs.pop("task_list", None)
            found.update(theirs)
        return {**found, **{key: value for key, value in self.config.items() if key != "include"}}


def read_task_file(path: Path, places: Places) -> TaskFile:
    """A task's file and what it includes, all of which must lie in `places`. Raises `TaskError` naming the file."""
    path = path.expanduser()
    places.refuse_elsewhere(path, path, "is a link to" if path.is_symlink() else "is")
    return _read(path.resolve(), places, {})


def _read(path: Path, places: Places, seen: dict[Path, None]) -> TaskFile:
    if path in seen:
        raise TaskError("includes itself, or is included twice", place=path)
    if len(seen) >= MAX_FILES:
        raise TaskError(f"is one of more than {MAX_FILES} files that include each other", place=path)
    seen[path] = None
    config = _mapping(path)
    listed = config.get("include", [])
    included = []
    for one in listed if isinstance(listed, list) else [listed]:
        other = (path.parent / Path(str(one)).expanduser()).resolve()
        places.refuse_elsewhere(other, path, "includes")
        included.append(_read(other, places, seen))
    return TaskFile(path, config, tuple(included))


def _mapping(path: Path) -> dict[str, Any]:
    content = regular_bytes(path, MAX_BYTES)
    try:
        with time_limit():
            _refuse_bomb(content, path)
            # A subclass of the safe loader: it constructs plain values and marks, nothing else.
            config = yaml.load(content, Loader=_MarkingLoader)
    except TaskError:
        raise
    except OverLimit as error:
        raise TaskError(str(error), place=path) from error
    except Exception as error:  # the library lets through whatever a value's own constructor raises
        raise TaskError(f"is not valid YAML ({' '.join(str(error).split())})", place=path) from error
    if not isinstance(config, dict):
        raise TaskError(f"holds a {type(config).__name__} where lm-eval wants a mapping", place=path)
    return config


def _refuse_bomb(content: bytes, path: Path) -> None:
    """Count values and depth from the parser's events, before anything is built of them."""
    sizes: dict[str, int] = {}
    open_: list[tuple[str | None, int]] = []
    count = 0
    for event in yaml.parse(content, Loader=_SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            if any(anchor == event.anchor for anchor, _ in open_):
                raise TaskError(f"the value &{event.anchor} holds itself (*{event.anchor})", place=path)
            count += sizes.get(str(event.anchor), 1)
        elif isinstance(event, yaml.CollectionStartEvent):
            open_.append((event.anchor, count))
            count += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_.pop()
            if anchor is not None:
                sizes[anchor] = count - before
        elif isinstance(event, yaml.ScalarEvent):
            count += 1
        if len(open_) > MAX_DEPTH:
            raise TaskError(f"is nested more than {MAX_DEPTH} deep", place=path)
        if count > MAX_VALUES:
            raise TaskError(f"stands for more than {MAX_VALUES:,} values, its aliases (*name) written out", place=path)
