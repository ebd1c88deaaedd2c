"""Commands that have no need of a network get none, and others none with `--offline`."""

import os
import sys
from contextlib import ExitStack
from contextvars import ContextVar

import typer

from harness.core.process.network import no_network, offline_if

__all__ = ["go_offline", "need_none", "stay_off"]

_NEED_NONE = frozenset(
    {"card", "compare", "export", "gate", "index", "keys", "policy", "prove", "report", "runs", "seal", "show"}
)
"""They read and write files; or a database, where the user names one."""

_until_the_end: ContextVar[ExitStack] = ContextVar("until_the_end")


def stay_off(ctx: typer.Context) -> None:
    """Take the network from a command that has no need of one, until it ends; the others may do so later."""
    _until_the_end.set(ctx.with_resource(ExitStack()))
    if ctx.invoked_subcommand in _NEED_NONE:
        need_none(ctx.invoked_subcommand)


def need_none(command: str) -> None:
    """Take the network from the command that runs, which has no need of one as it was called."""
    why = f"`harness {command}` has no need of it"
    _until_the_end.get().enter_context(no_network(why, "Report it as a fault", allowed=_databases()))


def go_offline(chosen: bool, *references: str | None) -> None:
    """Take the network from the command that runs, if that is `chosen`, but for servers on this machine it names."""
    _until_the_end.get().enter_context(offline_if(chosen, *references))


def _databases() -> list[str]:
    """The database that the user names, whose client library looks its host up."""
    named = [*sys.argv, os.environ.get("HARNESS_STORE", "")]
    return [one.removeprefix("--store=") for one in named if one.removeprefix("--store=").startswith("postgres")]
