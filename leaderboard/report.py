"""The PDF report on a run, made when somebody asks for it."""

from harness.core.errors import UnavailableError
from harness.decision.verdicts import latest_verdicts
from harness.record import RunRecord
from harness.report import Language, ReportContext, Words, attachments, build_document, to_pdf

__all__ = ["pdf_of"]


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
    context = ReportContext(record=record, words=Words(language), verdicts=latest_verdicts(record.folder))
    return to_pdf(build_document(context), attachments=attachments(record.folder))
