"""The harness's own log, for whoever wants to show or keep it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["logged_to"]


@contextmanager
def logged_to(handler: logging.Handler, level: int) -> Iterator[None]:
    """While the block runs, what the harness logs from `level` up goes to the handler, which is closed at its end."""
    logger = logging.getLogger("harness")
    logger.addHandler(handler)
    logger.setLevel(level)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        handler.close()
