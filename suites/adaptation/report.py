"""What adaptation brings to a report: accuracy by the number of exemplars, and of rows that were trained on."""

from collections.abc import Iterator
from functools import partial

from typing_extensions import override

from harness import charts
from harness.core.reports import PERFORMANCE, Drawing, ReportedRun, SuiteReport, Wording
from harness.core.scores import Estimate
from harness.report.figures import frame_of, valued
from suites.adaptation.metrics import RANDOM_LABEL_ACC, SHOTS, SHOTS_ACC, TRAINED_ACC
from suites.adaptation.suite import Adaptation

__all__ = ["AdaptationReport"]

_DRAWN = (SHOTS_ACC.name, RANDOM_LABEL_ACC.name, TRAINED_ACC.name)


class AdaptationReport(SuiteReport):
    """What the suite `adaptation` brings."""

    order = 66
    evidence = PERFORMANCE

    @override
    def figures(self, run: ReportedRun, words: Wording) -> Iterator[Drawing]:
        """A line a task over the numbers of exemplars, one with random answers, and one of what was trained on."""
        rows = [one for one in valued(run.estimates, Adaptation.name) if one.metric in _DRAWN and one.group is not None]
        if not rows:
            return
        told = {RANDOM_LABEL_ACC.name: words("random answers"), TRAINED_ACC.name: words("trained on rows")}
        names = [
            f"{_called(words, one)}, {told[one.metric]}" if one.metric in told else _called(words, one) for one in rows
        ]
        counts = [int(one.group.value) for one in rows if one.group]
        frame = frame_of(rows).assign(task=names, **{SHOTS: counts})
        heading, axis = words("right answers by number of exemplars"), words("exemplars before the question")
        caption = words("Right answers by the number of exemplars; beside them, after exemplars with random answers")
        if any(one.metric == TRAINED_ACC.name for one in rows):
            axis = words("exemplars before the question, or rows that an adapter was fitted to")
            caption = words(
                "Right answers by the number of exemplars, after exemplars with random answers, and by the number of "
                "rows that the model was trained on; bars are 95 % intervals"
            )
        yield Drawing(
            draw=partial(charts.task_lines, frame, SHOTS, heading, axis), caption=caption, rows=rows, width=0.7
        )


def _called(words: Wording, one: Estimate) -> str:
    return words.task(one.suite, one.task).rpartition(":")[2]
