"""A report as Markdown: texts of strangers can't become markup."""

from harness.core.text.markdown import CONTROLS, plain, table
from harness.report.blocks import Block, Bullets, Code, Document, Facts, Figure, Note, Paragraph, Table

__all__ = ["to_markdown"]


def to_markdown(document: Document) -> str:
    """The document in GitHub's Markdown; figures are told in words, as they are in the PDF and the HTML."""
    parts = [f"# {plain(document.title)}", plain(document.subtitle)]
    for section in document.sections:
        parts.append(f"{'#' * (section.level + 1)} {plain(section.title)}")
        parts += [_block(block) for block in section.blocks]
    return "\n\n".join(parts) + "\n"


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
            return f"*{plain(block.caption)}*\n\n{table(titles, block.rows, numeric)}"
        case Figure():
            return f"*{plain(block.caption)}*: {plain(block.alternative)}"
        case Code():
            title = f"{plain(block.title)}\n\n" if block.title else ""
            return title + "\n".join(f"    {line}" for line in CONTROLS.sub("\ufffd", block.text).split("\n"))
