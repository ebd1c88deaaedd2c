"""Options that a dataclass holds and a command line offers: each says beside its default how people give it."""

from dataclasses import field
from typing import Any

__all__ = ["CLI", "option"]

CLI = "cli"
"""The key of a field's metadata under which its place on the command line stands."""


def option(default: Any, help: str, *flags: str, **settings: Any) -> Any:  # noqa: A002 - as typer has it
    """A field with that default, offered on the command line with that help.

    `flags` are the names of the option where they aren't the field's own; `settings` go to `typer.Option`: `min`,
    `max`, `metavar`, and `parser`, which makes the value of a text and raises `InputError`.
    """
    return field(default=default, metadata={CLI: {"flags": flags, "help": help, **settings}})
