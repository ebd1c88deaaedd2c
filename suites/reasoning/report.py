"""What reasoning brings to a report: a curve over difficulty."""

from collections.abc import Iterator
from functools import partial

from typing_extensions import override

from harness import charts
from harness.core.reports import PERFORMANCE, Drawing, ReportedRun, SuiteReport, Wording
from harness.report.figures import named_frame, valued
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
            levels = named_frame(words, rows).assign(difficulty=[int(one.group.value) for one in rows if one.group])
            heading, axis = words("right answers by difficulty"), words("difficulty")
            yield Drawing(
                draw=partial(charts.task_lines, levels, "difficulty", heading, axis),
                caption=words("Right answers by difficulty, from 1 (easy) to 4"),
                rows=rows,
                width=0.7,
            )
