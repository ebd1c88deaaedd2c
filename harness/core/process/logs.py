"""The harness's own log, for whoever wants to show or keep it."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path

from harness.core.process.secrets import hidden

__all__ = ["LogFile", "logged_to"]


class LogFile(logging.FileHandler):
    """Appends what is logged to a file, with its time, for as long as the disk has room for it.

    What is written beside it says that there is no room; a log must never be what stops the work, or hides why.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8", delay=True)
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))

    def format(self, record: logging.LogRecord) -> str:
        """No key of this process is in a log, nor in the exceptions that it tells of."""
        return hidden(super().format(record))

    def _open(self) -> TextIOWrapper:
        """For its owner alone, as all files of a record."""
        return open(
            self.baseFilename,
            "a",
            encoding=self.encoding,
            opener=lambda path, flags: os.open(path, flags, 0o600),
        )

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """A file that can't be written takes no more; other faults are told."""
        if isinstance(sys.exc_info()[1], OSError):
            self.setLevel(logging.CRITICAL + 1)
        else:
            super().handleError(record)

    def close(self) -> None:
        """Close the file, also where its disk is full."""
        with suppress(OSError):
            super().close()


@contextmanager
def logged_to(handler: logging.Handler, level: int) -> Iterator[None]:
    """While the block runs, what the harness logs from `level` up goes to the handler alone, then closed."""
    logger = logging.getLogger("harness")
    propagated = logger.propagate
    logger.addHandler(handler)
    logger.setLevel(level)
    # Some libraries give the root logger a handler that writes to the terminal.
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagated
        handler.close()
