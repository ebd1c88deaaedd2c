"""Tables as wide as the window, in which no name is broken."""

import re
from collections.abc import Collection, Iterable, Sequence
from itertools import zip_longest

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from harness.core.text.display import visible

__all__ = ["as_lists", "laid_out", "set_beside"]

_GAP = 2
_WHOLE, _BROKEN = range(20, 16, -1), range(20, 11, -1)
"""Columns up to which a cell that is no name isn't broken either, as many as there is room for; fewer where even names
that stand above their rows leave no room."""
_NAME = 10
"""Least columns of names that stand above their rows where they are longer."""
_TALL = 6
"""Lines a row, on the average, from which a table isn't one any more."""

_NUMBER = re.compile(r"[-+]?[\d,]+(\.\d+)?(e[-+]?\d+)?%?")
_DIGITS = 64
_DIGEST = re.compile(rf"[0-9a-f]{{{_DIGITS}}}")
"""What is copied whole or not at all."""
_WRAPPER = Console(width=80)
"""What wraps a text asks a console for its tabs and overflow; nothing is printed by it."""

Row = Sequence[Text]


def laid_out(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    width: int,
    *,
    names: int = 1,
    right: Collection[str] = (),
) -> list[Text]:
    """The lines of a table, none wider than `width` but for a name or a word that alone is.

    The first `names` columns are never broken: where they have no room beside the others they are joined, and one that
    is still too long stands above its row. Where even so the others have none, each row becomes a list of its cells. A
    row of a single cell is a heading. Numbers stand on the right, and so do the columns named in `right`.
    """
    cells = [[_text(cell) for cell in row] for row in rows]
    lines = _table(list(columns), cells, width, names, right)
    heads = [_styled(part, "bold") for part in _wrapped(Text(visible(title)), width)] if title else []
    return heads + (lines or as_lists(columns, cells, width))


def as_lists(columns: Sequence[str], rows: Sequence[Sequence[object]], width: int) -> list[Text]:
    """Each row as a list: its first cell, and below it what the other columns say of it."""
    lines = []
    for first, *others in rows:
        lines.append(_styled(_text(first), "bold"))
        for column, cell in zip(columns[1:], map(_text, others), strict=False):
            if cell.plain:
                told = Text(f"{column}: " if column else "").append_text(cell)
                for at, part in enumerate(_wrapped(told, width - 4)):
                    part.rstrip()
                    lines.append(Text("    " if at else "  ").append_text(part))
    return lines


def set_beside(name: Text, told: Text, first: int, width: int) -> list[Text]:
    """The lines of a text beside its name, which has `first` columns, and stands above where it needs more."""
    return _row([name, told], [first, max(1, width - first - _GAP)], [False, False])


def _text(cell: object) -> Text:
    if isinstance(cell, Text):
        return cell
    return Text("" if cell is None else visible(str(cell)).expandtabs(4))


def _table(columns: list[str], rows: list[list[Text]], width: int, names: int, right: Collection[str]) -> list[Text]:
    """The heads of the columns and the rows; nothing where the window is too narrow for them."""
    full = [row for row in rows if len(row) > 1]
    places = range(len(columns))
    wanted = [max([cell_len(columns[at]), *(_longest(row[at]) for row in full)]) for at in places]
    heads = [
        max([cell_len(columns[at]), *(_DIGITS for row in full if _DIGEST.fullmatch(row[at].plain))]) for at in places
    ]
    widths = _widths(wanted, wanted[:names], heads, width, _WHOLE)
    if widths is None and names > 1:
        joined = [[_joined(row[:names]), *row[names:]] if len(row) > 1 else row for row in rows]
        return _table([", ".join(columns[:names]), *columns[names:]], joined, width, 1, right)
    if widths is None:
        least = min(wanted[0], max(_NAME, heads[0]))
        widths = _widths([max(least, min(wanted[0], width // 2)), *wanted[1:]], [least], heads, width, _BROKEN)
        if widths is None:
            return []
        widths[0] = min(wanted[0], width - sum(widths[1:]) - _GAP * len(widths[1:]))
    aligned = [
        columns[at] in right or (bool(full) and all(_NUMBER.fullmatch(row[at].plain or "0") for row in full))
        for at in places
    ]
    lines = [line for row in rows for line in _row(row, widths, aligned)]
    if full and len(lines) > _TALL * len(rows):
        return []
    if any(columns):
        lines[:0] = _row([Text(column, style="bold") for column in columns], widths, aligned)
    return lines


def _joined(names: Row) -> Text:
    first, *others = names
    return Text(" ").join([first, *(_styled(other, "dim") for other in others)])


def _longest(cell: Text) -> int:
    return max(map(cell_len, cell.plain.splitlines()), default=0)


def _widths(
    wanted: Sequence[int], names: Sequence[int], heads: Sequence[int], width: int, tried: Iterable[int]
) -> list[int] | None:
    """How wide each column is: the widest give way first; None where there is no room for what each needs.

    `names` is what the first columns need, `heads` what the titles of the others do, `tried` what else these keep.
    """
    room = width - _GAP * (len(wanted) - 1)
    for whole in tried:
        others = zip(wanted, heads, strict=True)
        least = [*names, *(max(head, min(most, whole)) for most, head in list(others)[len(names) :])]
        if sum(least) <= room:
            break
    else:
        return None
    cap = max(wanted)
    while sum(widths := [max(low, min(most, cap)) for low, most in zip(least, wanted, strict=True)]) > room:
        cap -= 1
    return widths


def _row(row: Row, widths: Sequence[int], aligned: Sequence[bool]) -> list[Text]:
    """The lines of one row; a heading, and a name without room, is a line of its own."""
    if len(row) == 1:
        return [row[0]]
    above = [row[0]] if cell_len(row[0].plain) > widths[0] else []
    beside = [Text(), *row[1:]] if above else row
    parts = [_wrapped(cell, width) for cell, width in zip(beside, widths, strict=True)]
    return above + [_line(line, widths, aligned) for line in zip_longest(*parts, fillvalue=Text())]


def _wrapped(cell: Text, width: int) -> list[Text]:
    return list(cell.wrap(_WRAPPER, max(1, width), overflow="fold"))


def _line(cells: Row, widths: Sequence[int], aligned: Sequence[bool]) -> Text:
    line, end = Text(), 0
    for cell, width, to_right in zip(cells, widths, aligned, strict=True):
        cell.rstrip()
        if cell.plain:
            begin = end + (width - cell_len(cell.plain) if to_right else 0)
            line.append(" " * (begin - cell_len(line.plain))).append_text(cell)
        end += width + _GAP
    return line


def _styled(text: Text, style: str) -> Text:
    return Text(text.plain, style=style)
