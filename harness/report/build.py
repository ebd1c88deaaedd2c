"""From a sealed record to a report: which sections there are, and in which order."""

from collections.abc import Callable, Sequence
from pathlib import Path

from harness.record.opening import read_bytes
from harness.record.seal import SEAL
from harness.report.blocks import Document, Section
from harness.report.context import ReportContext
from harness.report.sections.comparison import comparison
from harness.report.sections.data import data, thresholds
from harness.report.sections.evidence import evidence
from harness.report.sections.identity import identity, machine, responsibility
from harness.report.sections.limits import caveats, exclusions
from harness.report.sections.results import results
from harness.report.sections.summary import summary
from harness.report.sections.verification import glossary, verification

__all__ = ["attachments", "build_document"]

SECTIONS: Sequence[Callable[[ReportContext], list[Section]]] = (
    summary,
    identity,
    responsibility,
    data,
    thresholds,
    comparison,
    results,
    exclusions,
    caveats,
    machine,
    evidence,
    verification,
    glossary,
)


def build_document(context: ReportContext) -> Document:
    """The report on a run: the same document for the same record, verdicts, statements and language.

    The record must be sealed and verified. Raises `RecordError` where one of its files can't be read.
    """
    began = context.record.started_at
    return Document(
        title=context.words("Evaluation of {model}", model=context.model),
        subtitle=context.words("Run {run} on {date}", run=context.record.run_id, date=began.date().isoformat()),
        language=context.words.language,
        date=(began.year, began.month, began.day),
        sections=[section for part in SECTIONS for section in part(context)],
    )


def attachments(folder: Path) -> dict[str, bytes]:
    """What travels inside the PDF: the seal, whose digests bind the whole record, the spec, and the scores."""
    return {name: read_bytes(folder / name) for name in (SEAL, "spec.json", "estimates.json", "measurements.json")}
