"""Texts of strangers in Markdown, where they can't become markup."""

import re
from collections.abc import Iterable, Sequence

__all__ = ["CONTROLS", "plain", "table"]

CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+!|~$-])")


def plain(text: str) -> str:
    """Text that means itself: markup is escaped, line ends become spaces, controls are shown as `U+XXXX`."""
    shown = CONTROLS.sub(lambda found: f"U+{ord(found[0]):04X}", text)
    return _MARKUP.sub(r"\\\1", " ".join(shown.split()))


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], numeric: Sequence[bool] = ()) -> str:
    """A table of plain texts, whose `numeric` columns stand right."""
    rules = ["--:" if right else "---" for right in numeric or [False] * len(columns)]
    lines = [[plain(str(cell)) for cell in line] for line in (columns, *rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in (lines[0], rules, *lines[1:]))
