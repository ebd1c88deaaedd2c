"""Which scores of the report are evidence towards which duties, and how far that goes."""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import yaml

from harness.report.blocks import Column, Note, Paragraph, Section, Table
from harness.report.context import ReportContext
from harness.report.titles import title

__all__ = ["evidence"]


def evidence(context: ReportContext) -> list[Section]:
    """The mapping to the NIST AI RMF and the EU AI Act, for what this run holds."""
    words = context.words
    present = {one.suite for one in context.estimates if one.value is not None} | {"record"}
    present |= {"gate"} if context.verdicts else set()
    rows = [
        [
            ", ".join(title(words, suite) for suite in entry["suites"] if suite in present),
            entry["nist"],
            entry["ai_act"],
            words(entry["why"]),
        ]
        for entry in _mapping()
        if present & set(entry["suites"])
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
            own_page=True,
        )
    ]


@cache
def _mapping() -> Sequence[dict[str, str]]:
    text = files("harness.report").joinpath("evidence.yaml").read_text(encoding="utf-8")
    loaded: list[dict[str, str]] = yaml.safe_load(text)
    return loaded
