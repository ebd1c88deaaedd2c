"""What the suite brings to reports and to the leaderboard. English sentences are the keys of `locale/zh.yaml`."""

from collections.abc import Iterable, Iterator
from functools import partial

from typing_extensions import override

from harness import charts
from harness.core.reports import Drawing, Evidence, ReportedRun, SuiteReport, Weight, Wording, Worry
from harness.report.figures import frame_of, valued

CHANCE = 0.5


class RhymesReport(SuiteReport):
    """Rhymes in words and in a picture."""

    evidence = Evidence(nist="MEASURE 2.3", ai_act="Art. 15(1)", why="how well it rhymes")
    note_on_samples = "The couplets were written for this suite."

    @override
    def worries(self, run: ReportedRun, words: Wording) -> Iterator[Worry]:
        for one in valued(run.estimates, "rhymes"):
            if one.task == "couplets" and one.low is not None and one.low <= CHANCE:
                text = words("It may rhyme no better than chance in {task}.", task=one.task)
                yield Worry(text=text, weight=Weight.OPEN)

    @override
    def figures(self, run: ReportedRun, words: Wording) -> Iterable[Drawing]:
        rows = [one for one in valued(run.estimates, "rhymes") if one.task == "couplets"]
        frame = frame_of(rows, name=[one.task for one in rows], suite=words("Poetry of the model"))
        yield Drawing(draw=partial(charts.dimension_bars, frame), caption=words("Rhymes by task"), rows=rows)
