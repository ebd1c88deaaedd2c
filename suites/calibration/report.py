"""What calibration brings to a report: reliability diagrams, and a worry where confidence can't be believed."""

from collections.abc import Iterator
from functools import partial

from typing_extensions import override

from harness import charts
from harness.core.reports import Drawing, Evidence, ReportedRun, SuiteReport, Wording, Worry
from harness.report.figures import MOST_TASKS, by_task, named_frame, valued
from harness.report.findings import findings
from harness.report.sentences import shown, single
from suites.calibration.risk import risk_curves
from suites.calibration.suite import Calibration

__all__ = ["CalibrationReport"]

SMALL_ERROR = 0.1
"""An expected calibration error that is surely above this is worth a sentence."""


class CalibrationReport(SuiteReport):
    """What the suite `calibration` brings."""

    order = 50
    evidence = Evidence(
        nist="MEASURE 2.5", ai_act="Art. 13(3)(b)(ii), 15(1)", why="whether stated confidence can be relied upon"
    )
    samples_are_its_own = False

    @override
    def figures(self, run: ReportedRun, words: Wording) -> Iterator[Drawing]:
        """The reliability diagram of the first tasks; on a screen of all, with the risk-coverage curve of each."""
        curves = risk_curves(run.scores)
        for place, (task, rows) in enumerate(by_task(valued(run.estimates, Calibration.name))):
            bins = [one for one in rows if one.metric == "acc" and one.is_by("confidence")]
            if bins:
                yield Drawing(
                    draw=partial(charts.reliability, named_frame(words, rows)),
                    caption=words("{task}: right answers by confidence", task=words.task(Calibration.name, task)),
                    rows=bins,
                    width=0.7,
                    paper=place < MOST_TASKS,
                )
            if bins and task in curves:
                yield Drawing(
                    draw=partial(charts.risk_coverage, curves[task]),
                    caption=words(
                        "{task}: errors left by the share of answers that are taken",
                        task=words.task(Calibration.name, task),
                    ),
                    table=curves[task],
                    paper=False,
                )

    @override
    def worries(self, run: ReportedRun, words: Wording) -> Iterator[Worry]:
        """Confidence that is surely far from the share of right answers."""
        scores = [one for one in single(run.estimates) if one.metric == "ece_debiased"]
        found = findings(run.estimates, scores, SMALL_ERROR, below=False)
        yield from shown(
            words,
            found,
            "Its confidence can't be believed: on {task} it misses the share of right answers by {value} on average "
            "({interval}).",
        )
