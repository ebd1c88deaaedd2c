"""What reasoning brings to a report: a curve over difficulty."""

from collections.abc import Iterator, Sequence
from functools import partial

import altair as alt
import pandas as pd
from typing_extensions import override

from harness.core.reports import PERFORMANCE, Drawing, ReportedRun, SuiteReport, Wording
from harness.core.scores import Estimate
from harness.report.figures import frame_of, valued
from suites.reasoning.suite import Reasoning

__all__ = ["ReasoningReport"]


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
