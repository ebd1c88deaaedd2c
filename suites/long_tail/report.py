"""What the long tail brings to a report: a worry where what is rare, long or new fares worse."""

from collections.abc import Iterator

from typing_extensions import override

from harness.core.reports import Evidence, ReportedRun, SuiteReport, Wording, Worry
from harness.report.findings import findings
from harness.report.sentences import shown, single
from suites.long_tail.strata import ATTRIBUTES

__all__ = ["LongTailReport"]


class LongTailReport(SuiteReport):
    """What the suite `long_tail` brings."""

    order = 45
    evidence = Evidence(
        nist="MEASURE 2.5", ai_act="Art. 13(3)(b)(ii), 15(1)", why="limits of generalisation beyond what is common"
    )
    samples_are_its_own = False

    @override
    def worries(self, run: ReportedRun, words: Wording) -> Iterator[Worry]:
        """Tails that are surely worse than heads."""
        gaps = {f"{attribute}_gap" for attribute in ATTRIBUTES}
        scores = [one for one in single(run.estimates) if one.metric in gaps]
        found = findings(run.estimates, scores, below=False)
        yield from shown(
            words,
            found,
            "It does worse on the tail: {metric} on {task} is {value} ({interval}), where 0 would be no difference.",
        )
