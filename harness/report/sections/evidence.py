"""Which scores of the report are evidence towards which duties, and how far that goes."""

from harness.core.reports import Evidence
from harness.core.reports.installed import suite_reports
from harness.report.blocks import Column, Note, Paragraph, Section, Table
from harness.report.context import ReportContext

__all__ = ["evidence"]

_GATE = Evidence(
    nist="MEASURE 1.1, 2.13",
    ai_act="Art. 9(6), 9(8)",
    why="tests against metrics and thresholds that were fixed before",
)
_RECORD = Evidence(
    nist="MEASURE 2.1, 2.8",
    ai_act="Art. 11, 12, Annex IV 2(g)",
    why="test logs and reports, dated and signed, that can be traced to each sample",
)


def evidence(context: ReportContext) -> list[Section]:
    """The mapping to the NIST AI RMF and the EU AI Act, for what this run holds."""
    words = context.words
    rows = [
        [words(", ").join(parts), one.nist, words(one.ai_act), why] for one, (parts, why) in _parts(context).items()
    ]
    table = Table(
        caption=words("What this report is evidence towards"),
        columns=[
            Column(title=words("part of this report"), width=1.5),
            Column(title="NIST AI RMF 1.0", width=1.1),
            Column(title=words("EU AI Act"), width=1.6),
            Column(title=words("because it holds"), width=2.2),
        ],
        rows=rows,
    )
    return [
        Section(
            title=words("Evidence towards frameworks and law"),
            blocks=[
                Paragraph(
                    text=words(
                        "The scores are evidence towards these provisions. Whether a system meets "
                        "them depends on its use, "
                        "its users and its documentation, and is for people to judge: nothing here "
                        "says that it complies."
                    )
                ),
                table,
                Note(
                    text=words(
                        "ISO/IEC 42001:2023, A.6.2.4 (verification and validation) and A.6.2.8 "
                        "(event logs); ISO/IEC TR "
                        "24027:2021 (bias) and ISO/IEC 24029 (robustness) treat the same subjects."
                    )
                ),
            ],
        )
    ]


def _parts(context: ReportContext) -> dict[Evidence, tuple[list[str], str]]:
    """The parts of the report that are evidence towards the same, and why, each in the reader's language."""
    words = context.words
    present = {one.suite for one in context.estimates if one.value is not None}
    found: dict[Evidence, tuple[list[str], str]] = {}
    for name, report in suite_reports().items():
        if name in present and (shown := report.evidence):
            found.setdefault(shown, ([], words.of(name)(shown.why)))[0].append(words.title(name))
    if context.verdicts:
        found[_GATE] = ([words("Gate")], words(_GATE.why))
    return {**found, _RECORD: ([words("Record")], words(_RECORD.why))}
