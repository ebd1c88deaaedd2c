"""What ends a command, and with which exit code: 1 says that a rule of a gate failed, and nothing else does."""

import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import suppress

import typer
from rich.text import Text

from harness.cli.console import errors
from harness.cli.process.streams import careful_streams
from harness.core.errors import HarnessError
from harness.core.process.secrets import hidden

__all__ = ["RuleFailed", "guarded"]

_ERROR = 2
_BY_USER = 130
_LONGEST = 300


class RuleFailed(typer.Exit):
    """Ends a command with exit code 1: a rule of a policy failed."""

    def __init__(self) -> None:
        super().__init__(1)


def guarded(command: Callable[[], object]) -> int:
    """Run a command to its end and give its exit code, whatever happens in it.

    A `HarnessError` is one line on standard error. So is what nobody foresaw, with the name of a file that holds the
    traceback. Both are exit code 2.
    """
    try:
        with careful_streams():
            return _guarded(command)
    except HarnessError as error:  # what was printed last could not be written
        _say(f"harness: {error}")
        return error.exit_code
    except Exception as error:
        return _unforeseen(error)


def _guarded(command: Callable[[], object]) -> int:
    try:
        command()
    except SystemExit as ended:
        return _exit_code(ended)
    except HarnessError as error:
        _say(f"harness: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        return _BY_USER
    except BaseException as error:  # a panic of a Rust library is no Exception
        return _unforeseen(error)
    return 0


def _exit_code(ended: SystemExit) -> int:
    """Libraries and a wrong call end with 1, too, and with texts: to the harness these are errors."""
    if ended.code is None:
        return 0
    if not isinstance(ended.code, int):
        _say(f"harness: {ended.code}")
        return _ERROR
    if ended.code != 1 or isinstance(ended.__context__, RuleFailed):
        return ended.code
    # A pipe or socket that broke ends a command without a word.
    return _unforeseen(ended.__context__) if isinstance(ended.__context__, OSError) else _ERROR


def _unforeseen(error: BaseException) -> int:
    said = " ".join(f"{type(error).__name__}: {error}".split())
    said = said if len(said) <= _LONGEST else f"{said[:_LONGEST]}…"
    _say(f"harness: an unexpected error ({said}). What was finished is kept. {_kept(error)}")
    return _ERROR


def _kept(error: BaseException) -> str:
    """Keep the traceback in a file of its own, and say where; it may hold what only the user may read."""
    told = "".join(traceback.format_exception(error))
    try:
        descriptor, path = tempfile.mkstemp(prefix="harness-", suffix=".log")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as log:
            log.write(hidden(f"{sys.argv}\n{told}"))
    except Exception as fault:  # no room, no folder, no descriptor left: the line itself must come all the same
        return f"No log could be written ({fault}); run it again where there is room, and report it"
    return f"Please report it with what stands in {path}"


def _say(text: str) -> None:
    with suppress(Exception):
        errors.print(Text(text))
