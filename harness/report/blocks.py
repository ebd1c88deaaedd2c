"""What a report is made of, before anyone decides whether it becomes PDF, HTML or Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["Block", "Bullets", "Code", "Column", "Document", "Facts", "Figure", "Note", "Paragraph", "Section", "Table"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """Running text; `strong` for the one sentence that a hurried reader must see."""

    text: str
    strong: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Small print: definitions, sources, caveats; `term` is what it explains, if anything."""

    text: str
    term: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bullets:
    """A list; `numbered` where the order counts."""

    items: Sequence[str]
    numbered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Names and values, such as a model and its digest."""

    items: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A table's column: its title, how its cells are set, and its share of the width that others leave.

    Numbers and short texts never break, and take the width that they need; `words` break between words alone.
    """

    title: str
    width: float = 1.0
    kind: Literal["text", "words", "number", "short", "code"] = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of texts under columns, with a caption; every row has a cell a column."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A vector plot: SVG, a caption, a text for whoever can't see it, and its share of the page's width."""

    svg: str
    caption: str
    alternative: str
    width: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """What a model read or wrote, or what to type: shown letter by letter; `title` says what it is."""

    text: str
    title: str = ""


Block = Paragraph | Note | Bullets | Facts | Table | Figure | Code


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading of `level` 1 or 2 with the blocks below it."""

    title: str
    blocks: Sequence[Block]
    level: Literal[1, 2] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A whole report. `date` is the day on which the run began, as year, month and day.

    One that is `outlined` has its first section on a page of its own, and a table of contents after it.
    """

    title: str
    subtitle: str
    language: Literal["en", "zh"]
    date: tuple[int, int, int]
    sections: Sequence[Section]
    outlined: bool = True
