"""The PDF report on a run, made when somebody asks for it, and what it finds to worry about."""

from harness.core.errors import UnavailableError
from harness.decision.verdicts import latest_verdicts
from harness.record import RunRecord
from harness.report import Language, ReportContext, Words, attachments, build_document, to_pdf
from harness.report.worries import worries

__all__ = ["pdf_of", "worries_of"]


def worries_of(record: RunRecord, code: str) -> list[str]:
    """What a reader should worry about, a sentence each, the weightiest first, in the language `code`.

    Raises `HarnessError` where the record can't be read.
    """
    return [worry.text for worry in worries(_context(record, "zh" if code == "zh" else "en"))]


def pdf_of(record: RunRecord, code: str) -> bytes:
    """The report in the language `code`; in English where that is none of the report's, or has no font here.

    Raises `HarnessError` where it can't be made.
    """
    language: Language = "zh" if code == "zh" else "en"
    try:
        return _pdf(record, language)
    except UnavailableError:
        if language == "en":
            raise
        return _pdf(record, "en")


def _pdf(record: RunRecord, language: Language) -> bytes:
    return to_pdf(build_document(_context(record, language)), attachments=attachments(record.folder))


def _context(record: RunRecord, language: Language) -> ReportContext:
    return ReportContext(record=record, words=Words(language), verdicts=latest_verdicts(record.folder))
