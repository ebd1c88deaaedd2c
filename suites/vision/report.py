"""What vision brings to a report: a doubt where the pictures make no difference."""

from collections.abc import Iterator

from typing_extensions import override

from harness.core.reports import PERFORMANCE, ReportedRun, SuiteReport, Weight, Wording, Worry
from harness.report.sentences import single
from suites.vision.looking import MULTIMODAL_GAIN

__all__ = ["VisionReport"]


class VisionReport(SuiteReport):
    """What the suite `vision` brings."""

    order = 61
    evidence = PERFORMANCE

    @override
    def worries(self, run: ReportedRun, words: Wording) -> Iterator[Worry]:
        """Tasks on which seeing the picture adds nothing that can be told from chance."""
        gains = [one for one in single(run.estimates) if one.metric == MULTIMODAL_GAIN.name and one.low is not None]
        blind = [words.task(one.suite, one.task) for one in gains if one.low is not None and one.low <= 0]
        if blind:
            yield Worry(
                weight=Weight.OPEN,
                text=words(
                    "On {tasks} it may not look at the pictures: with grey ones in their place its answers are not "
                    "surely worse.",
                    tasks=words(", ").join(blind),
                ),
            )
