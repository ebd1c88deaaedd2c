"""A report as Markdown: texts of strangers can't become markup."""

import re
from collections.abc import Sequence

from harness.report.blocks import Block, Bullets, Code, Document, Facts, Figure, Note, Paragraph, Table

__all__ = ["plain", "table", "to_markdown"]

_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+!|~$-])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def to_markdown(document: Document) -> str:
    """The document in GitHub's Markdown; figures are told in words, as they are in the PDF and the HTML."""
    parts = [f"# {plain(document.title)}", plain(document.subtitle)]
    for section in document.sections:
        parts.append(f"{'#' * (section.level + 1)} {plain(section.title)}")
        parts += [_block(block) for block in section.blocks]
    return "\n\n".join(parts) + "\n"


def plain(text: str) -> str:
    """Text that means itself: markup is escaped, line ends become spaces, controls are shown as `U+XXXX`."""
    shown = _CONTROLS.sub(lambda found: f"U+{ord(found[0]):04X}", text)
    return _MARKUP.sub(r"\\\1", " ".join(shown.split()))


def table(columns: Sequence[str], numeric: Sequence[bool], rows: Sequence[Sequence[str]]) -> str:
    """A table whose `numeric` columns stand right."""
    lines = [columns, ["--:" if right else "---" for right in numeric]]
    told = [[plain(cell) for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in [[plain(title) for title in columns], lines[1], *told])


def _block(block: Block) -> str:
    match block:
        case Paragraph():
            return f"**{plain(block.text)}**" if block.strong else plain(block.text)
        case Note():
            return f"**{plain(block.term)}**: {plain(block.text)}" if block.term else plain(block.text)
        case Bullets():
            marks = (f"{place}." if block.numbered else "-" for place in range(1, len(block.items) + 1))
            return "\n".join(f"{mark} {plain(item)}" for mark, item in zip(marks, block.items, strict=True))
        case Facts():
            return "\n".join(f"- {plain(name)}: {plain(value)}" for name, value in block.items)
        case Table():
            numeric = [column.kind == "number" for column in block.columns]
            titles = [column.title for column in block.columns]
            return f"*{plain(block.caption)}*\n\n{table(titles, numeric, block.rows)}"
        case Figure():
            return f"*{plain(block.caption)}*: {plain(block.alternative)}"
        case Code():
            title = f"{plain(block.title)}\n\n" if block.title else ""
            return title + "\n".join(f"    {line}" for line in _CONTROLS.sub("\ufffd", block.text).split("\n"))
