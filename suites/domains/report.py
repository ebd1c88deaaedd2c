"""What fields of use bring to a report: what their scores are evidence towards, and a worry about sure mistakes."""

from collections.abc import Iterator

from typing_extensions import override

from harness.core.reports import PERFORMANCE, ReportedRun, SuiteReport, Wording, Worry
from harness.report.findings import findings
from harness.report.sentences import shown, single
from suites.domains.costs import STAKES

__all__ = ["DomainsReport"]


class DomainsReport(SuiteReport):
    """What the suite `domains` brings."""

    order = 62
    evidence = PERFORMANCE

    @override
    def worries(self, run: ReportedRun, words: Wording) -> Iterator[Worry]:
        """Where acting on sure answers surely costs more than handing all of them to people."""
        for stakes in STAKES:
            scores = [one for one in single(run.estimates) if one.metric == stakes.cost.name]
            found = findings(run.estimates, scores, stakes.handing_over, below=False)
            yield from shown(
                words,
                found,
                "Its sure mistakes cost more than they save: {metric} on {task} is {value} ({interval}) wrong "
                "answers a question, where handing every question to people would cost less.",
            )
