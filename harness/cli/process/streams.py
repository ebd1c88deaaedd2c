"""Standard output and error that may be full, closed, or a pipe that nobody reads any more."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from harness.core.errors import InputError

__all__ = ["careful_streams"]

_FIX = "The work itself is kept: give the output a place that can be written, and run the same command again"


class _Careful:
    """A stream that gives up for good at the first failure, and leaves everything else to the one within.

    A reader that has seen enough, such as `head`, is no failure: the rest goes nowhere, and the exit code stays what it
    is. Of any other failure `OutputError` is raised once where `told`, and nothing where not.
    """

    def __init__(self, within: TextIO | None, *, told: bool) -> None:
        self._within, self._told = within, told

    def write(self, text: str) -> int:
        self._try("write", text)
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        if self._within is not None:
            self._try("flush")

    def isatty(self) -> bool:
        return self._within is not None and self._within.isatty()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_within"], name)

    def _try(self, name: str, *arguments: str) -> None:
        try:
            if self._within is None:
                raise OSError("it is closed")  # noqa: TRY301 - told like every other fault of the stream
            getattr(self._within, name)(*arguments)
        except (OSError, ValueError) as error:
            told, self._told = self._told and not isinstance(error, BrokenPipeError), False
            self._give_up()
            if told:
                said = getattr(error, "strerror", None) or error
                raise InputError(f"can't be written ({said})", place="standard output", fix=_FIX) from error

    def _give_up(self) -> None:
        """From here on everything goes nowhere, what the stream still holds included."""
        if self._within is None:
            self._within = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - as long as the process
            return
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._within.fileno())
            os.close(nowhere)


@contextmanager
def careful_streams() -> Iterator[None]:
    """Within the block the standard streams are `_Careful`: standard output tells a failure, standard error doesn't.

    A descriptor that is closed is opened to nowhere first: else the next file that is opened would get its number, and
    with it whatever a library prints.
    """
    for number, flags in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, flags)  # the lowest number that is free, which is this one
    before = sys.stdout, sys.stderr
    careful = _Careful(sys.stdout, told=True), _Careful(sys.stderr, told=False)
    sys.stdout, sys.stderr = careful
    try:
        yield
        sys.stdout.flush()
    finally:
        for stream in careful:
            with suppress(InputError):
                stream.flush()
        sys.stdout, sys.stderr = before
