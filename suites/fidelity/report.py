"""What fidelity brings to a report: where the model differs, and a worry where right answers are surely lost."""

from collections.abc import Iterator
from functools import partial

from typing_extensions import override

from harness import charts
from harness.core.reports import Drawing, Evidence, ReportedRun, SuiteReport, Wording, Worry
from harness.report.figures import by_task, grouped_frame, valued
from harness.report.findings import findings
from harness.report.sentences import shown, single
from suites.fidelity.metrics import KL_DIVERGENCE, LOST_ANSWERS
from suites.fidelity.suite import Fidelity

__all__ = ["FidelityReport"]

MANY_LOST = 0.05
"""Right answers of the reference of which surely more than this share is lost are worth a sentence."""


class FidelityReport(SuiteReport):
    """What the suite `fidelity` brings."""

    order = 65
    evidence = Evidence(
        nist="MEASURE 2.3, 2.5",
        ai_act="Art. 15(1)",
        why="whether a compressed model is still the one that was assessed",
    )

    @override
    def figures(self, run: ReportedRun, words: Wording) -> Iterator[Drawing]:
        """The divergence by position and by rarity."""
        for task, rows in by_task(valued(run.estimates, Fidelity.name)):
            strata = [one for one in rows if one.metric == KL_DIVERGENCE.name and one.group is not None]
            if strata:
                yield Drawing(
                    draw=partial(charts.group_bars, grouped_frame(words, strata)),
                    caption=words(
                        "{task}: divergence from the reference by kind of token", task=words.task(Fidelity.name, task)
                    ),
                    rows=strata,
                    width=0.85,
                )

    @override
    def worries(self, run: ReportedRun, words: Wording) -> Iterator[Worry]:
        """Right answers that are surely lost."""
        scores = [one for one in single(run.estimates) if one.metric == LOST_ANSWERS.name]
        found = findings(run.estimates, scores, MANY_LOST, below=False)
        yield from shown(words, found, "Of its reference's right answers to {task} it loses {value} ({interval}).")
