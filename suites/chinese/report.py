"""What Chinese brings to a report: which of its scores can't be told from guessing."""

from collections.abc import Iterator

from typing_extensions import override

from harness.core.reports import PERFORMANCE, ReportedRun, SuiteReport, Weight, Wording, Worry
from harness.decision.context.levels import chance_level
from harness.metrics.standard import ACC
from harness.report.sentences import single
from suites.chinese.suite import Chinese

__all__ = ["ChineseReport"]


class ChineseReport(SuiteReport):
    """What the suite `chinese` brings."""

    order = 64
    evidence = PERFORMANCE

    @override
    def worries(self, run: ReportedRun, words: Wording) -> Iterator[Worry]:
        """Tasks on which the interval of the accuracy reaches what guessing gives."""
        asked = [one for one in single(run.estimates) if one.suite == Chinese.name and one.metric == ACC.name]
        chances = {one.task: chance_level(run.samples, one.suite, one.task) for one in asked}
        guessed = [
            words.task(one.suite, one.task)
            for one in asked
            if (chance := chances[one.task]) is not None and one.low is not None and one.low <= chance
        ]
        if guessed:
            yield Worry(
                weight=Weight.OPEN,
                text=words(
                    "Its Chinese can't be told from guessing on {tasks}: the interval of the accuracy reaches what "
                    "chance gives.",
                    tasks=words(", ").join(guessed),
                ),
            )
