"""A report as PDF: archivable (PDF/A-3a), accessible (PDF/UA-1), and the same bytes for the same document."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from harness.core.errors import RecordError
from harness.report.blocks import Block, Document, Figure
from harness.report.fonts import chinese_font, font_files, require_chinese
from harness.report.glyphs import Glyphs
from harness.report.words import Words

__all__ = ["PAPERS", "Paper", "to_pdf"]

Paper = Literal["a4", "us-letter"]
PAPERS: tuple[Paper, ...] = ("a4", "us-letter")

TIMEOUT_S = 300
"""A page takes milliseconds; what takes minutes hangs."""


def to_pdf(document: Document, *, paper: Paper = "a4", attachments: Mapping[str, bytes] | None = None) -> bytes:
    """The document as a tagged PDF with `attachments` (JSON files by name) inside.

    It is set in a process of its own, since a typesetter that runs out of memory takes its process with it. Raises
    `UnavailableError` where there is no font for the language, `RecordError` where setting fails.
    """
    if document.language == "zh":
        require_chinese()
    with tempfile.TemporaryDirectory(prefix="harness-report-") as name:
        folder = Path(name)
        for attached, content in (attachments or {}).items():
            (folder / attached).write_bytes(content)
        for font in font_files():
            (folder / font.name).symlink_to(font)
        shutil.copy(Path(str(files("harness.report").joinpath("report.typ"))), folder)
        described = _described(document, folder, paper, sorted(attachments or {}))
        (folder / "report.json").write_text(json.dumps(described, ensure_ascii=False), encoding="utf-8")
        return _compiled(folder)


def _described(document: Document, folder: Path, paper: Paper, attachments: Sequence[str]) -> dict[str, Any]:
    """What the template reads: the document with every text fit for the page, figures as files."""
    glyphs = Glyphs(font_files())
    sections = [
        {
            "title": glyphs.fit(section.title),
            "level": section.level,
            "blocks": [
                _block(block, f"figure-{number}-{place}.svg", folder, glyphs)
                for place, block in enumerate(section.blocks)
            ],
        }
        for number, section in enumerate(document.sections)
    ]
    return {
        "title": glyphs.fit(document.title),
        "subtitle": glyphs.fit(document.subtitle),
        "language": document.language,
        "date": document.date,
        "paper": paper,
        "chinese": chinese_font() is not None,
        "contents": Words(document.language)("Contents"),
        "outlined": document.outlined,
        "attachments": attachments,
        "sections": sections,
    }


def _block(block: Block, name: str, folder: Path, glyphs: Glyphs) -> dict[str, Any]:
    if isinstance(block, Figure):
        (folder / name).write_text(block.svg, encoding="utf-8")
        described = {"file": name, "width": block.width, "caption": block.caption, "alternative": block.alternative}
    else:
        described = asdict(block)
    return {"type": type(block).__name__, **_fitted(described, glyphs)}


def _fitted(value: Any, glyphs: Glyphs) -> Any:
    if isinstance(value, str):
        return glyphs.fit(value)
    if isinstance(value, dict):
        return {key: inner if key in ("kind", "file") else _fitted(inner, glyphs) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_fitted(inner, glyphs) for inner in value]
    return value


def _compiled(folder: Path) -> bytes:
    try:
        done = subprocess.run(
            [sys.executable, "-m", "harness.report.typeset", str(folder)],
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_S,
        )
    except subprocess.TimeoutExpired as error:
        raise RecordError(f"typesetting the report took more than {TIMEOUT_S} s", fix="The record is intact") from error
    made = folder / "report.pdf"
    if done.returncode or not made.exists():
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise RecordError(
            f"the report could not be typeset: {last}", fix="The record is intact; --html and --markdown work"
        )
    return made.read_bytes()
