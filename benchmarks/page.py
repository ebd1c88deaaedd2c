"""A page that people write, with parts that measurements write: each part between two marks that name it."""

from pathlib import Path

__all__ = ["put"]


def put(page: Path, name: str, text: str) -> None:
    """Write the part of this name into the page, in place of what it was; all the rest of the page stays.

    A page that has no such part yet gets it at its end. Raises `ValueError` for a part that has no end.
    """
    begin, end = f"<!-- measured: {name} -->", f"<!-- measured end: {name} -->"
    before, marked, rest = page.read_text(encoding="utf-8").partition(begin)
    _, ended, after = rest.partition(end)
    if marked and not ended:
        raise ValueError(f"{page}: the part begun by {begin} has no {end}")
    part = f"{begin}\n\n{text.strip()}\n\n{end}"
    page.write_text(f"{before}{part}{after}" if marked else f"{before.rstrip()}\n\n{part}\n", encoding="utf-8")
