"""From a sealed record to a report that people can read and check: PDF, HTML and Markdown."""

from harness.report.build import attachments, build_document
from harness.report.context import ReportContext, Statements
from harness.report.html import to_html
from harness.report.markdown import to_markdown
from harness.report.pdf import PAPERS, Paper, to_pdf
from harness.report.words import LANGUAGES, Language, Words

__all__ = [
    "LANGUAGES",
    "PAPERS",
    "Language",
    "Paper",
    "ReportContext",
    "Statements",
    "Words",
    "attachments",
    "build_document",
    "to_html",
    "to_markdown",
    "to_pdf",
]
