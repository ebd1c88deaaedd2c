"""What long contexts bring to a report: right answers by the length of the text, and by the place in it."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import altair as alt
import pandas as pd
from typing_extensions import override

from harness import charts
from harness.core.reports import PERFORMANCE, Drawing, ReportedRun, SuiteReport, Wording
from harness.report.figures import named_frame, valued
from suites.long_context.haystack import PLACE
from suites.long_context.suite import LongContext

__all__ = ["LongContextReport"]


class LongContextReport(SuiteReport):
    """What the suite `long_context` brings."""

    order = 75
    evidence = PERFORMANCE

    @override
    def figures(self, run: ReportedRun, words: Wording) -> Iterator[Drawing]:
        """A line a task over the lengths; a field for each length and depth that has several needles."""
        found = valued(run.estimates, LongContext.name)
        rows = [one for one in found if one.is_by("length")]
        if rows:
            lengths = [int(one.group.value) for one in rows if one.group]
            frame = named_frame(words, rows).assign(length=lengths)
            heading, axis = words("right answers by length"), words("tokens of the text")
            yield Drawing(
                draw=partial(charts.task_lines, frame, "length", heading, axis),
                caption=words("Right answers by the length of the text, in tokens"),
                rows=rows,
                width=0.7,
            )
        cells = [one for one in found if one.is_by(PLACE)]
        if cells:
            places = [one.group.value.split(", ") for one in cells if one.group]
            frame = named_frame(words, cells).assign(
                length=[int(length) for length, _ in places],
                depth=[int(depth.removesuffix(" %")) for _, depth in places],
            )
            axes = words("tokens of the text"), words("depth in the text, %")
            yield Drawing(
                draw=partial(_by_place, frame, words("found needles by length and depth"), axes),
                caption=words("Share of the needles that were found, by the length of the text and the depth in it"),
                rows=cells,
                width=0.7,
            )


def _by_place(
    frame: pd.DataFrame,
    title: str,
    axes: tuple[str, str],
    theme: str = "light",  # noqa: ARG001
    language: str = "en",  # noqa: ARG001
) -> alt.Chart:
    across, down = axes
    color: Any = alt.Color("value:Q", title=None, scale=alt.Scale(domain=[0, 1], scheme="viridis"))
    return (
        alt.Chart(frame[["task", "length", "depth", "value", "n"]])
        .mark_rect()
        .encode(
            x=alt.X("length:O", title=across),
            y=alt.Y("depth:O", title=down),
            color=color,
            tooltip=["length:O", "depth:O", "value:Q", "n:Q"],
        )
        .properties(title=title, width=alt.Step(60), height=260)
    )
