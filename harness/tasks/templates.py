"""Prompt templates: text with `{column}` in it, and nothing that could run code."""

import string
from dataclasses import dataclass

from harness.core.datasets import Row
from harness.core.errors import DataError

__all__ = ["Template", "cell_text"]


@dataclass(frozen=True, slots=True)
class Template:
    """A text whose `{column}` fields are filled from a row; `{{` and `}}` stand for braces.

    Raises `ValueError` for anything else that Python's format strings could do.
    """

    source: str

    def __post_init__(self) -> None:
        try:
            parts = list(string.Formatter().parse(self.source))
        except ValueError as error:
            raise ValueError(f"its braces don't pair ({error}); write {{{{ and }}}} for braces") from error
        for _, field, spec, conversion in parts:
            if field is not None and (spec or conversion or not field or any(sign in field for sign in ".[]{}")):
                raise ValueError(f"only plain {{column}} fields are allowed (see {{{field}}}); write {{{{ for a brace")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it needs, each once."""
        fields = [field for _, field, _, _ in string.Formatter().parse(self.source) if field is not None]
        return tuple(dict.fromkeys(fields))

    def fill(self, row: Row) -> str:
        """The text for a row. Raises `KeyError` for a missing column, `DataError` for one that holds no text."""
        parts = string.Formatter().parse(self.source)
        return "".join(literal + ("" if field is None else cell_text(row, field)) for literal, field, _, _ in parts)


def cell_text(row: Row, column: str) -> str:
    """A cell as text. Raises `KeyError` where there is no such column, `DataError` unless it is a text or a number."""
    value = row[column]
    if isinstance(value, bool) or not isinstance(value, str | int | float) or value != value:
        held = "null" if value is None else f"{type(value).__name__} {value!r:.40}"
        raise DataError(f"field {column!r} holds {held}, not a text or a number")
    return str(value)
