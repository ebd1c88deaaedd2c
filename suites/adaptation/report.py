"""What adaptation brings to a report: accuracy by the number of exemplars."""

from collections.abc import Iterator
from functools import partial

from typing_extensions import override

from harness import charts
from harness.core.reports import PERFORMANCE, Drawing, ReportedRun, SuiteReport, Wording
from harness.report.figures import frame_of, valued
from suites.adaptation.metrics import RANDOM_LABEL_ACC, SHOTS, SHOTS_ACC
from suites.adaptation.suite import Adaptation

__all__ = ["AdaptationReport"]


class AdaptationReport(SuiteReport):
    """What the suite `adaptation` brings."""

    order = 66
    evidence = PERFORMANCE

    @override
    def figures(self, run: ReportedRun, words: Wording) -> Iterator[Drawing]:
        """A line a task over the numbers of exemplars, and one for the same exemplars with random answers."""
        rows = [
            one
            for one in valued(run.estimates, Adaptation.name)
            if one.is_by(SHOTS) and one.metric in (SHOTS_ACC.name, RANDOM_LABEL_ACC.name)
        ]
        if not rows:
            return
        control = words("random answers")
        names = [one.task if one.metric == SHOTS_ACC.name else f"{one.task}, {control}" for one in rows]
        counts = [int(one.group.value) for one in rows if one.group]
        frame = frame_of(rows).assign(task=names, **{SHOTS: counts})
        heading, axis = words("right answers by number of exemplars"), words("exemplars before the question")
        yield Drawing(
            draw=partial(charts.task_lines, frame, SHOTS, heading, axis),
            caption=words("Right answers by the number of exemplars; beside them, after exemplars with random answers"),
            rows=rows,
            width=0.7,
        )
