"""Suites, tasks, probes and checkpoint sources are found by entry point, ours and third parties' alike."""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

from harness.core.errors import PluginError, UnknownName
from harness.core.tasks import Suite, Task

__all__ = ["load", "names", "source", "suite", "task"]

T = TypeVar("T", Suite, Task)


@cache
def _entries(group: str) -> Mapping[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for entry in entry_points(group=group):
        other = found.get(entry.name)
        if other is not None and other.value != entry.value:
            raise PluginError(
                f"registered twice in {group}, as {other.value} and as {entry.value}",
                place=entry.name,
                fix="Uninstall one of the two packages",
            )
        found[entry.name] = entry
    return found


def names(group: str) -> list[str]:
    """Names registered in an entry-point group, sorted, without importing anything."""
    return sorted(_entries(group))


def load(group: str, name: str, kind: str) -> Any:
    """The object registered as `name`.

    Raises `UnknownName` if there is none, `PluginError` naming the cause if it fails to import.
    """
    entries = _entries(group)
    if name not in entries:
        raise UnknownName(kind, name, entries)
    entry = entries[name]
    package = f" of the package {entry.dist.name}" if entry.dist else ""
    try:
        return entry.load()
    except (Exception, SystemExit) as error:
        raise PluginError(
            f"the {kind}{package} can't be imported from {entry.value}: {type(error).__name__}: {error}",
            place=name,
            fix="Mend or uninstall that package",
        ) from error


def source(group: str, name: str) -> Path | None:
    """The file of the module that the registered `name` is in, which isn't imported; None where there is no such."""
    entry = _entries(group).get(name)
    try:
        spec = find_spec(entry.module) if entry else None
    except (ImportError, ValueError):
        return None
    return Path(spec.origin) if spec and spec.has_location and spec.origin else None


def suite(name: str) -> Suite:
    """The suite of that name. Raises `UnknownName` or `PluginError`."""
    return _instance("harness.suites", name, "suite", Suite)


def task(name: str) -> Task:
    """The task of that name. Raises `UnknownName` or `PluginError`."""
    return _instance("harness.tasks", name, "task", Task)  # type: ignore[type-abstract]


def _instance(group: str, name: str, kind: str, base: type[T]) -> T:
    found = load(group, name, kind)
    if not (isinstance(found, type) and issubclass(found, base)):
        raise PluginError(
            f"the {kind} is not a subclass of {base.__module__}.{base.__name__}",
            place=name,
            fix="Mend or uninstall the package that registers it",
        )
    return found()
