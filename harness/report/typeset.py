"""Sets `report.typ` of a folder: `python -m harness.report.typeset FOLDER` leaves `report.pdf` there."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import typst

__all__ = ["main"]


def main() -> None:
    """Compile with the folder's own fonts and the date of the report; nothing of the machine enters the file."""
    folder = Path(sys.argv[1])
    year, month, day = json.loads((folder / "report.json").read_text(encoding="utf-8"))["date"]
    typst.compile(
        folder / "report.typ",
        output=folder / "report.pdf",
        root=folder,
        font_paths=[folder],
        ignore_system_fonts=True,
        format="pdf",
        pdf_standards=["a-3a", "ua-1"],
        timestamp=int(datetime(year, month, day, tzinfo=UTC).timestamp()),
    )


if __name__ == "__main__":
    main()
