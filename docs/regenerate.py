"""Writes the parts of the documentation that are made from the code: `python docs/regenerate.py`."""

import re
from collections.abc import Callable
from pathlib import Path

from harness.core.groups import groups_table
from harness.examine.inspection import kinds_table
from harness.record.notebook.columns import columns_table

FOLDER = Path(__file__).parent
TABLES: dict[str, tuple[Path, Callable[[], str]]] = {
    "kinds": (FOLDER / "checkpoints.md", kinds_table),
    "columns": (FOLDER / "api" / "frames.md", columns_table),
    "groups": (FOLDER / "plugins.md", groups_table),
}
"""What is made, by the name that stands in the comments around it."""


def regenerated(text: str) -> str:
    """The document with the tables of today's code."""
    for name, (_, table) in TABLES.items():
        marks = rf"(<!-- {name}:[^\n]*\n)(.*?)(<!-- /{name} -->)"
        if re.search(marks, text, flags=re.DOTALL):
            made = f"{table()}\n"
            text = re.sub(marks, lambda found, made=made: f"{found[1]}{made}{found[3]}", text, flags=re.DOTALL)
    return text


if __name__ == "__main__":
    for path, _ in TABLES.values():
        path.write_text(regenerated(path.read_text(encoding="utf-8")), encoding="utf-8")
