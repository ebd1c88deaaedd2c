"""Options that a dataclass holds and a command line offers: each says beside its default how people give it."""

from collections.abc import Mapping
from dataclasses import field, fields, is_dataclass, replace
from numbers import Integral, Real
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from harness.core.errors import InputError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Options = TypeVar("Options", bound=DataclassInstance)

__all__ = ["CLI", "checked_options", "checked_text", "checked_texts", "option"]

CLI = "cli"
"""The key of a field's metadata under which its place on the command line stands."""


def option(default: Any, help: str, *flags: str, **settings: Any) -> Any:  # noqa: A002 - as typer has it
    """A field with that default, offered on the command line with that help.

    `flags` are the names of the option where they aren't the field's own; `settings` go to `typer.Option`: `min`,
    `max`, `metavar`, and `parser`, which makes the value of a text and raises `InputError`.
    """
    return field(default=default, metadata={CLI: {"flags": flags, "help": help, **settings}})


def checked_options(options: "Options", kind: "type[Options]") -> "Options":
    """The options, each of its field's type and range: whoever calls from Python can give anything.

    A path may be given as a text and the other way round, a list for a tuple. Raises `InputError` that names the field.
    """
    if not isinstance(options, kind):
        raise InputError(f"is no {kind.__name__}", place=f"{options!r}")
    hints: Mapping[str, Any] = get_type_hints(kind)
    found = {one.name: _fitting(one.name, getattr(options, one.name), hints[one.name]) for one in fields(kind)}
    for one in fields(kind):
        value, settings = found[one.name], one.metadata.get(CLI, {})
        least, most = settings.get("min"), settings.get("max")
        if isinstance(value, int | float) and not (least is None or value >= least):
            raise InputError(f"must be at least {least}", place=f"{one.name}={value!r}")
        if isinstance(value, int | float) and not (most is None or value <= most):
            raise InputError(f"must be at most {most}", place=f"{one.name}={value!r}")
    return replace(options, **found)


def checked_text(name: str, given: object) -> str:
    """The text of an argument, which may be a path. Raises `InputError` for anything else."""
    return str(_fitting(name, given, str))


def checked_texts(name: str, given: object) -> list[str]:
    """The texts of an argument that takes one or several. Raises `InputError` for anything else."""
    several = given if isinstance(given, list | tuple | set | frozenset) else [given]
    return [checked_text(name, one) for one in several]


_WORDS = {int: "a whole number", float: "a number", str: "a text", bool: "True or False", Path: "a path"}


def _fitting(name: str, value: object, hint: Any) -> Any:
    kinds = get_args(hint) if get_origin(hint) not in (None, Literal, tuple) else (hint,)
    for kind in kinds:
        if isinstance(kind, type) and is_dataclass(kind):
            given: Any = value
            return checked_options(given, kind)
        fits, found = _as(value, kind)
        if fits:
            return found
    *words, last = [word for kind in kinds for word in _told(kind)]
    told = f"{', '.join(words)} or {last}" if words else last
    raise InputError(f"is not {told}", place=f"{name}={value!r}")


def _as(value: object, kind: Any) -> tuple[bool, Any]:
    """Whether the value is of that kind, and the value as one."""
    if kind is NoneType:
        return value is None, None
    if get_origin(kind) is Literal:
        return any(value == one and type(value) is type(one) for one in get_args(kind)), value
    if get_origin(kind) is tuple:
        is_texts = isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)
        return is_texts, tuple(value) if isinstance(value, list | tuple) else None
    if kind in (str, Path):
        return isinstance(value, str | Path), kind(value) if isinstance(value, str | Path) else None
    if kind is bool or isinstance(value, bool):
        return kind is bool and isinstance(value, bool), value
    number = Integral if kind is int else Real
    return isinstance(value, number), kind(value) if isinstance(value, number) else None


def _told(kind: Any) -> list[str]:
    if get_origin(kind) is Literal:
        return list(map(repr, get_args(kind)))
    return ["a list of texts" if get_origin(kind) is tuple else _WORDS.get(kind, "None")]
