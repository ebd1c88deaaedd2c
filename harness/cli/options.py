"""Commands whose options are the fields of a dataclass, so that Python and the command line take the same."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import Field, fields, is_dataclass
from functools import wraps
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import typer
from rich.markup import escape

from harness.core.options import CLI

__all__ = ["AsJson", "with_options"]

AsJson = Annotated[bool, typer.Option("--json", help="Print as JSON.")]


def with_options(
    kind: type[Any], name: str = "options", *, panels: Mapping[str, str] = MappingProxyType({})
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a command, in place of its parameter `name`, an option for each field of the dataclass `kind`.

    Fields are described by `harness.core.options.option`; a field that is a dataclass itself brings its own fields.
    `panels` has the headings under which the help lists them, by field.
    """

    def changed(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def called(**given: Any) -> None:
            command(**{name: _filled(kind, given)}, **given)

        offered = list(_parameters(kind, panels))
        parameters: list[inspect.Parameter] = []
        for one in inspect.signature(command, eval_str=True).parameters.values():
            parameters += offered if one.name == name else [one.replace(kind=inspect.Parameter.KEYWORD_ONLY)]
        called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        called.__annotations__ = {one.name: one.annotation for one in parameters}
        return called

    return changed


def _parameters(kind: type[Any], panels: Mapping[str, str]) -> Iterator[inspect.Parameter]:
    hints = get_type_hints(kind)
    for one in fields(kind):
        if is_dataclass(hints[one.name]):
            yield from _parameters(hints[one.name], panels)
        else:
            annotation = Annotated[_asked(hints[one.name], one), _option(one, panels.get(one.name))]  # type: ignore[valid-type]
            default = None if one.default == () else one.default
            yield inspect.Parameter(one.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _option(one: Field[Any], panel: str | None) -> Any:
    settings = dict(one.metadata[CLI])
    flags: Sequence[str] = settings.pop("flags") or [f"--{one.name.replace('_', '-')}"]
    # What stands in brackets, such as a default, is text and no markup.
    return typer.Option(*flags, rich_help_panel=panel, help=escape(settings.pop("help")), **settings)


def _asked(hint: Any, one: Field[Any]) -> Any:
    """The type that typer asks for: a value of the parser's, a list for a tuple, else the field's own."""
    optional = NoneType in get_args(hint) if get_origin(hint) in (Union, UnionType) else False
    if "parser" in one.metadata[CLI]:
        return str | None if one.default in (None, ()) else str
    if get_origin(hint) is tuple:
        return list[str] | None
    return hint if optional or one.default is not None else hint | None


def _filled(kind: type[Any], given: dict[str, Any]) -> Any:
    """The dataclass of what was given, which it takes out of `given`."""
    hints: Mapping[str, Any] = get_type_hints(kind)
    values: dict[str, Any] = {}
    for one in fields(kind):
        if is_dataclass(hints[one.name]):
            values[one.name] = _filled(hints[one.name], given)
            continue
        value = given.pop(one.name)
        if one.default == ():
            value = tuple(value or ())
        values[one.name] = value
    return kind(**values)
