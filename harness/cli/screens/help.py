"""The help of a command: every option with all its names, whole at any width, and no word of a programming language."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Group
from rich.markup import escape
from rich.panel import Panel
from rich.text import Text
from typer.core import TyperCommand, TyperGroup

from harness.cli.console import output
from harness.cli.screens.tables import set_beside

__all__ = ["HelpedCommand", "HelpedGroup"]

_FIRST = 28
"""Columns of the options' names; one that is longer stands above what is said of it."""
_EDGES = 4

_TYPES = {
    "<str>": "TEXT",
    "<list[str]>": "TEXT",
    "<path>": "PATH",
    "<int>": "NUMBER",
    "<float>": "NUMBER",
    "<int range>": "NUMBER",
    "<float range>": "NUMBER",
}
"""How people call what typer names by the type that a program gives it."""
_EXAMPLE = "harness "
_RANGES = (
    (r"(?<![\d.])(\d+)\.0(?![\d.])", r"\1"),
    (r"([\d.]+)<=x<=([\d.]+)", r"\1 to \2"),
    (r"x>=([\d.]+)", r"at least \1"),
    (r"x<=([\d.]+)", r"at most \1"),
)


class HelpedCommand(TyperCommand):
    """A command whose help is printed by this module."""

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - the console knows the width
        """Print the help."""
        _print_help(self, ctx)


class HelpedGroup(TyperGroup):
    """A command of commands, likewise."""

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """Print the help."""
        _print_help(self, ctx)


def _print_help(command: HelpedCommand | HelpedGroup, ctx: Any) -> None:
    shown = [one for one in command.get_params(ctx) if not getattr(one, "hidden", False)]
    arguments = [one for one in shown if one.param_type_name == "argument"]
    options = [one for one in shown if one.param_type_name == "option"]
    rest = ["COMMAND [ARGS]..."] if isinstance(command, HelpedGroup) else []
    usage = " ".join([ctx.command_path, "[OPTIONS]", *map(_argument, arguments), *rest])
    output.print(Text.assemble("\n", ("Usage: ", "yellow"), (usage, "bold")))
    for paragraph in (command.help or "").strip().split("\n\n"):
        _print_paragraph(paragraph)
    output.print("")
    panels: dict[str, list[Any]] = {"Arguments": arguments, "Options": []}
    for one in options:
        panels.setdefault(getattr(one, "rich_help_panel", None) or "Options", []).append(one)
    for title, several in panels.items():
        _print_panel(title, {_named(one, ctx): _told(one, ctx) for one in several})
    if isinstance(command, HelpedGroup):
        known = {name: command.get_command(ctx, name) for name in command.list_commands(ctx)}
        purposes = {name: (one.help or "").split("\n\n")[0] for name, one in known.items() if one and not one.hidden}
        _print_panel("Commands", {name: Text.from_markup(purpose) for name, purpose in purposes.items()})
    if command.epilog:
        output.print(Text.from_markup(command.epilog))


def _print_paragraph(paragraph: str) -> None:
    """An example stands indented below the text before it; before other text there is an empty line."""
    if paragraph.startswith(_EXAMPLE):
        for line in set_beside(Text(), Text(paragraph), 0, output.width):
            output.print(line)
    else:
        output.print(Text.from_markup(f"\n{paragraph}"))


def _print_panel(title: str, rows: Mapping[str, Text]) -> None:
    if rows:
        width = output.width - _EDGES
        first = min(_FIRST, max(map(len, rows)))
        lines: Iterable[Text] = (
            line
            for name, told in rows.items()
            for line in set_beside(Text(name, style="bold cyan"), told, first, width)
        )
        output.print(Panel(Group(*lines), title=title, title_align="left", border_style="dim"))


def _argument(one: Any) -> str:
    """An argument's name as the usage has it."""
    name = one.metavar or one.name.upper().replace("_", "-")
    several = f"{name}..." if one.nargs == -1 else name
    return several if one.required else f"[{several}]"


def _named(one: Any, ctx: Any) -> str:
    """All names of an option, and what is to be given behind it."""
    if one.param_type_name == "argument":
        return _argument(one)
    names = str(one.get_help_record(ctx)[0])
    return re.sub(r"<[^>]*>", lambda found: _TYPES.get(found[0], found[0].strip("<>")), names)


def _told(one: Any, ctx: Any) -> Text:
    """What an option is for, what it is by default, and between which numbers it may be."""
    told = str(one.get_help_record(ctx)[1])
    own = one.help or ""
    more = told.removeprefix(own).strip()
    for pattern, words in _RANGES:
        more = re.sub(pattern, words, more)
    if own.endswith("]") and more.startswith("["):
        return Text.from_markup(f"{own[:-1]}; {more[1:]}")
    return Text.from_markup(f"{own} {escape(more)}".strip())
