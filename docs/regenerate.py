"""Writes the parts of the documentation that are made from the code: `python docs/regenerate.py`."""

import re
from pathlib import Path

from harness.examine.inspection import kinds_table

DOCUMENT = Path(__file__).parent / "checkpoints.md"


def regenerated(text: str) -> str:
    """The document with the table of today's code."""
    return re.sub(
        r"(<!-- kinds:[^\n]*\n)(.*?)(<!-- /kinds -->)",
        lambda found: f"{found[1]}{kinds_table()}\n{found[3]}",
        text,
        flags=re.DOTALL,
    )


if __name__ == "__main__":
    DOCUMENT.write_text(regenerated(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
