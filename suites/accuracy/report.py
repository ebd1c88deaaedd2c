"""What accuracy brings to a report: its scores on the first page, and a doubt where answers may be guesses."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from functools import partial

from typing_extensions import override

from harness import charts
from harness.core.headlines import main_estimates
from harness.core.registry import names as registered
from harness.core.reports import PERFORMANCE, Drawing, ReportedRun, SuiteReport, Weight, Wording, Worry
from harness.core.scores import Estimate
from harness.decision.context.levels import chance_level
from harness.report.figures import MOST_WITH_FIGURE, frame_of
from harness.report.findings import LEVEL
from harness.report.sentences import single
from suites.accuracy.suite import Accuracy

__all__ = ["AccuracyReport"]


class AccuracyReport(SuiteReport):
    """What the suite `accuracy` brings."""

    order = 60
    evidence = PERFORMANCE

    @override
    def figures(self, run: ReportedRun, words: Wording) -> Iterator[Drawing]:
        """That of the first page, on paper where that has no room for it."""
        paper = sum(one.is_headline and one.applies for one in run.estimates) > MOST_WITH_FIGURE
        yield from (replace(drawing, paper=paper) for drawing in self.first_page(run, words))

    @override
    def first_page(self, run: ReportedRun, words: Wording) -> Iterator[Drawing]:
        """The main score of each task with its interval; nothing without any."""
        known = [one for one in main_estimates(run.estimates) if one.suite == Accuracy.name and one.value is not None]
        rows = [one for one in known if one.unit == known[0].unit]
        if not rows:
            return
        metrics = list(dict.fromkeys(one.metric for one in rows))
        several = len(metrics) > 1
        names = [_called(words, one, metric=several) for one in rows]
        frame = frame_of(rows, name=names, suite=words(Accuracy.title))
        if several:
            frame["metric"] = "score"
        caption = words(
            "Right answers by task ({metrics}): each by the metric that enters the score of its dimension, else by its "
            "first",
            metrics=words(", ").join(map(words.metric, metrics)),
        )
        yield Drawing(draw=partial(charts.dimension_bars, frame), caption=caption, rows=rows, width=0.85)

    @override
    def worries(self, run: ReportedRun, words: Wording) -> Iterator[Worry]:
        """Where the interval of the accuracy reaches what guessing gives, or ends below."""
        plug_ins = {*registered("harness.suites")} - {Accuracy.name}
        asked: dict[str, list[tuple[Estimate, float]]] = {}
        for one in single(run.estimates):
            if one.metric in ("acc", "acc_norm") and one.suite not in plug_ins and one.low is not None:
                chance = chance_level(run.samples, one.suite, one.task)
                if chance is not None:
                    asked.setdefault(words.task(one.suite, one.task), []).append((one, chance))
        below = {
            task for task, scores in asked.items() if all(one.high is not None and one.high < by for one, by in scores)
        }
        level = {task for task, scores in asked.items() if all((one.low or 0.0) <= by for one, by in scores)} - below
        if below:
            yield Worry(
                weight=Weight.SHOWN,
                p_value=LEVEL,
                text=words(
                    "On {tasks} its answers are worse than guessing: the interval of the accuracy ends below what "
                    "chance gives.",
                    tasks=_listed(words, asked, below),
                ),
            )
        if level:
            yield Worry(
                weight=Weight.OPEN,
                text=words(
                    "On {tasks} the answers can't be told from guessing: the interval of the accuracy reaches down to "
                    "what chance gives.",
                    tasks=_listed(words, asked, level),
                ),
            )


def _called(words: Wording, one: Estimate, *, metric: bool) -> str:
    task = re.split(r"（| \(", words.task(one.suite, one.task))[0]
    return words("{name}: {value}", name=task, value=words.metric(one.metric)) if metric else task


def _listed(words: Wording, tasks: Iterable[str], chosen: Collection[str]) -> str:
    return words(", ").join(task for task in tasks if task in chosen)
