"""How a broken promise is told."""

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["demand", "told_of"]


def demand(kept: bool, broken: str) -> None:
    """Raises `AssertionError` with what is broken, unless the promise is kept; also where Python leaves out asserts."""
    if not kept:
        raise AssertionError(broken)


@contextmanager
def told_of(subject: str) -> Iterator[None]:
    """Puts what was looked at in front of what is found to be broken there."""
    try:
        yield
    except AssertionError as error:
        raise AssertionError(f"{subject}: {error}") from error
