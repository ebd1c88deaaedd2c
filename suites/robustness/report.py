"""What robustness brings to a report: scores as noise grows, and a worry where noise takes much away."""

from collections.abc import Iterator
from functools import partial

from typing_extensions import override

from harness import charts
from harness.core.reports import Drawing, Evidence, ReportedRun, SuiteReport, Wording, Worry
from harness.report.figures import by_task, grouped_frame, named_frame, valued
from harness.report.findings import findings
from harness.report.sentences import shown, single
from suites.robustness.suite import Robustness

__all__ = ["RobustnessReport"]

LARGE_DROP = 0.05
"""Noise that surely takes more than this share of the score is worth a sentence."""


class RobustnessReport(SuiteReport):
    """What the suite `robustness` brings."""

    order = 20
    evidence = Evidence(
        nist="MEASURE 2.5, 2.6", ai_act="Art. 15(4)", why="resilience to errors and inconsistencies in the input"
    )

    @override
    def figures(self, run: ReportedRun, words: Wording) -> Iterator[Drawing]:
        """The score of each task by severity; on a screen also by kind of noise."""
        for task, rows in by_task(valued(run.estimates, Robustness.name)):
            shown = [one for one in rows if one.metric in ("clean_score", "noisy_score")]
            severities = [one for one in shown if one.is_by("severity")]
            kinds = [one for one in shown if one.is_by("perturbation")]
            if any(one.metric == "noisy_score" for one in severities):
                yield Drawing(
                    draw=partial(charts.severity_curves, named_frame(words, rows).assign(name=run.model)),
                    caption=words("{task}: score as noise grows", task=words.task(Robustness.name, task)),
                    rows=[one for one in shown if one.group is None or one in severities],
                    width=0.7,
                )
            if kinds:
                yield Drawing(
                    draw=partial(charts.group_bars, grouped_frame(words, kinds)),
                    caption=words("{task}: score by kind of noise", task=words.task(Robustness.name, task)),
                    rows=kinds,
                    paper=False,
                )

    @override
    def worries(self, run: ReportedRun, words: Wording) -> Iterator[Worry]:
        """Noise that surely takes much of the score."""
        scores = [one for one in single(run.estimates) if one.metric == "relative_drop"]
        found = findings(run.estimates, scores, LARGE_DROP, below=False)
        yield from shown(words, found, "Noise in the questions takes away {value} of the score on {task} ({interval}).")
