"""What reasoning brings to a report: a curve over difficulty, and worries where answers were cut or can't be read."""

from collections.abc import Iterator, Sequence
from functools import partial

import altair as alt
import pandas as pd
from typing_extensions import override

from harness.core.reports import PERFORMANCE, Drawing, ReportedRun, SuiteReport, Weight, Wording, Worry
from harness.core.scores import Estimate
from harness.report.figures import frame_of, valued
from harness.report.sentences import single
from suites.reasoning.suite import Reasoning

__all__ = ["ReasoningReport"]

MANY = 0.1
"""A share of cut or unread answers that is worth a sentence."""


class ReasoningReport(SuiteReport):
    """What the suite `reasoning` brings."""

    order = 65
    evidence = PERFORMANCE

    @override
    def figures(self, run: ReportedRun, words: Wording) -> Iterator[Drawing]:
        """Right answers by difficulty, a line for each area."""
        rows = [one for one in valued(run.estimates, Reasoning.name) if one.is_by("difficulty")]
        if rows:
            yield Drawing(
                draw=partial(_curves, _levels(rows), words("right answers by difficulty"), words("difficulty")),
                caption=words("Right answers by difficulty, from 1 (easy) to 4"),
                rows=rows,
                width=0.7,
            )

    @override
    def worries(self, run: ReportedRun, words: Wording) -> Iterator[Worry]:
        """Answers without an end, and answers in which nothing was found."""
        found = [one for one in single(run.estimates) if one.suite == Reasoning.name]
        cut = _tasks(found, "cut")
        if cut:
            yield Worry(
                weight=Weight.UNUSABLE,
                text=words(
                    "On {tasks} more than a tenth of the answers were cut: their accuracy is a lower bound. Allow more "
                    "with --max-tokens.",
                    tasks=cut,
                ),
            )
        unread = _tasks(found, "unparsed")
        if unread:
            yield Worry(
                weight=Weight.UNUSABLE,
                text=words(
                    "On {tasks} more than a tenth of the answers hold nothing that could be read as one: look at the "
                    "samples.",
                    tasks=unread,
                ),
            )


def _tasks(found: Sequence[Estimate], metric: str) -> str:
    return ", ".join(one.task for one in found if one.metric == metric and (one.value or 0) > MANY)


def _levels(rows: Sequence[Estimate]) -> pd.DataFrame:
    return frame_of(rows).assign(difficulty=[int(one.group.value) for one in rows if one.group])


def _curves(
    frame: pd.DataFrame,
    title: str,
    axis: str,
    theme: str = "light",  # noqa: ARG001
    language: str = "en",  # noqa: ARG001
) -> alt.Chart:
    return (
        alt.Chart(frame[["task", "difficulty", "value", "n"]])
        .mark_line(point=True)
        .encode(
            x=alt.X("difficulty:O", title=axis),
            y=alt.Y("value:Q", title=None, scale=alt.Scale(domain=[0, 1])),
            color=alt.Color("task:N", title=None),
            tooltip=["task:N", "difficulty:O", "value:Q", "n:Q"],
        )
        .properties(title=title, height=260)
    )
