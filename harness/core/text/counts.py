"""Numbers of things, in English."""

__all__ = ["numbered"]


def numbered(number: int, one: str, several: str | None = None) -> str:
    """The number with its noun: `1 file`, `1,200 files`; `several` is the plural where it isn't `one` with an s."""
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"
