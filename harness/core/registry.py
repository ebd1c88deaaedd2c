"""Suites, tasks, meters and all else that can be plugged in are found by entry point, ours and third parties' alike."""

import sys
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from harness.core.errors import HarnessError, PluginError, UnknownName
from harness.core.groups import FORMER, GROUPS

if TYPE_CHECKING:
    from harness.core.models import Kind
    from harness.core.tasks import Suite, Task

__all__ = [
    "check",
    "kind",
    "kinds",
    "load",
    "make",
    "misplaced",
    "module",
    "names",
    "package",
    "packages",
    "several",
    "source",
    "suite",
    "task",
]

_DISTRIBUTION = "responsible-eval-harness"
_PROGRAMS = "harness.apps"
_PREFIX = "harness."
_FIX = "Fix or uninstall that package"


def _installed() -> Mapping[str, tuple[EntryPoint, ...]]:
    """What installed packages register with the harness, by group."""
    return _registered(tuple(sys.path))


@cache  # to look through all packages takes a tenth of a second
def _registered(_places: tuple[str, ...]) -> Mapping[str, tuple[EntryPoint, ...]]:
    found = entry_points()
    return {group: tuple(found.select(group=group)) for group in found.groups if group.startswith(_PREFIX)}


@cache
def _entries(group: str) -> Mapping[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for entry in _installed().get(group, ()):
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


def packages(group: str) -> dict[str, list[str]]:
    """What each installed package brings to a group: the names, by the package's own."""
    found: dict[str, list[str]] = {}
    for name in names(group):
        found.setdefault(_owner(_entries(group)[name]), []).append(name)
    return found


def load(group: str, name: str) -> Any:
    """The object registered as `name` in one of `GROUPS`.

    Raises `UnknownName` if there is none, `PluginError` naming package and cause if it fails to import or isn't what
    the group holds.
    """
    entry = _entry(group, name)
    try:
        found = entry.load()
    except (Exception, SystemExit) as error:
        raise PluginError(
            f"{_title(group, entry)} can't be imported from {entry.value}: {type(error).__name__}: {error}",
            place=name,
            fix=_FIX,
        ) from error
    _refuse(GROUPS[group].fault(found), group, entry)
    return found


def make(group: str, name: str, *arguments: Any) -> Any:
    """What the class or callable registered as `name` gives for the arguments.

    Raises as `load`, and `PluginError` if it fails or what it gives doesn't fulfil the contract; `HarnessError` as it
    comes.
    """
    maker, entry = load(group, name), _entry(group, name)
    try:
        made = maker(*arguments)
    except HarnessError:
        raise
    except (Exception, SystemExit) as error:
        raise PluginError(
            f"{_title(group, entry)} fails when it is made: {type(error).__name__}: {error}", place=name, fix=_FIX
        ) from error
    _refuse(GROUPS[group].made_fault(made), group, entry)
    return made


def several(group: str, name: str) -> list[Any]:
    """The objects that `name` stands for in a group that holds objects, or callables that return some.

    Raises as `make`.
    """
    found, entry = load(group, name), _entry(group, name)
    try:
        objects = list(found() if callable(found) else _listed(found))
    except HarnessError:
        raise
    except (Exception, SystemExit) as error:
        raise PluginError(
            f"{_title(group, entry)} can't be listed: {type(error).__name__}: {error}", place=name, fix=_FIX
        ) from error
    for one in objects:
        _refuse(GROUPS[group].made_fault(one), group, entry)
    return objects


def check(group: str, name: str) -> None:
    """Whether what is registered can be used, as far as can be known without using it. Raises as `make`."""
    match GROUPS[group].holds:
        case "class":
            make(group, name)
        case "objects":
            several(group, name)
        case "program":
            package(group, name)
        case _:
            load(group, name)


def package(group: str, name: str) -> str:
    """The package of a program, found without importing it. Raises `UnknownName`, and `PluginError` if it is none."""
    entry = _entry(group, name)
    found = entry.module.partition(".")[0]
    spec = find_spec(found)
    if spec is None or spec.submodule_search_locations is None or find_spec(f"{found}.__main__") is None:
        _refuse(f"is {entry.value}, not in a package that `python -m` runs", group, entry)
    return found


def module(name: str) -> ModuleType:
    """A module of an installed package that registers anything with the harness.

    Of the harness's own packages any is imported. Of others none is that their entry points don't bring in: what a name
    asks for may be a script. Raises `PluginError` where there is no such module.
    """
    top, parts = name.partition(".")[0], name.split(".")
    entries = [
        one
        for group, listed in _installed().items()
        for one in listed
        if group != _PROGRAMS and one.module.partition(".")[0] == top
    ]
    if not entries or not all(part.isidentifier() and not part.startswith("__") for part in parts):
        raise PluginError("is in no installed package that registers anything with the harness", place=f"{name:.80}")
    try:
        if any(one.dist is not None and one.dist.name == _DISTRIBUTION for one in entries):
            return import_module(name)
        for one in entries:
            one.load()
    except (Exception, SystemExit) as error:
        raise PluginError(f"can't be imported: {type(error).__name__}: {error}", place=f"{name:.80}") from error
    if name not in sys.modules:
        raise PluginError("is not a module that its package registers", place=f"{name:.80}")
    return sys.modules[name]


def source(group: str, name: str) -> Path | None:
    """The file of the module that the registered `name` is in, which isn't imported; None where there is no such."""
    entry = _entries(group).get(name)
    try:
        spec = find_spec(entry.module) if entry else None
    except (ImportError, ValueError):
        return None
    return Path(spec.origin) if spec and spec.has_location and spec.origin else None


def suite(name: str) -> "Suite":
    """The suite of that name. Raises `UnknownName` or `PluginError`."""
    made: Suite = make("harness.suites", name)
    return made


def task(name: str) -> "Task":
    """The task of that name. Raises `UnknownName` or `PluginError`."""
    made: Task = make("harness.tasks", name)
    return made


def kind(name: str) -> "Kind":
    """The kind of model of that name. Raises `UnknownName` or `PluginError`."""
    found: Kind = load("harness.engines", name)
    if found.name != name:
        raise PluginError(f"is registered as {name}, and calls itself {found.name}", place=name, fix=_FIX)
    return found


def kinds() -> "list[Kind]":
    """Every kind of model, by name. Raises `PluginError`."""
    return [kind(name) for name in names("harness.engines")]


def misplaced() -> list[PluginError]:
    """What packages register in groups of ours that nobody reads, such as one that is called otherwise by now."""
    found = []
    for group in sorted(set(_installed()) - set(GROUPS)):
        for owner, brought in packages(group).items():
            fix = f"Register it in {FORMER[group]}" if group in FORMER else f"Choose one of {', '.join(GROUPS)}"
            found.append(
                PluginError(
                    f"the package {owner} registers {', '.join(brought)} there, and the harness reads no such group",
                    place=group,
                    fix=fix,
                )
            )
    return found


def _entry(group: str, name: str) -> EntryPoint:
    entries = _entries(group)
    if name not in entries:
        raise UnknownName(GROUPS[group].noun, name, entries)
    return entries[name]


def _listed(found: Any) -> list[Any]:
    return [*found] if isinstance(found, list | tuple) else [found]


def _refuse(fault: str | None, group: str, entry: EntryPoint) -> None:
    if fault:
        raise PluginError(f"{_title(group, entry)} {fault}", place=entry.name, fix=_FIX)


def _title(group: str, entry: EntryPoint) -> str:
    return f"the {GROUPS[group].noun} of the package {_owner(entry)}"


def _owner(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else entry.module.partition(".")[0]
