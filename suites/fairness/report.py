"""What fairness brings to a report: worries about stereotypes and about groups that fare differently."""

from collections.abc import Iterator

from typing_extensions import override

from harness.core.reports import Evidence, ReportedRun, SuiteReport, Weight, Wording, Worry
from harness.core.text.display import number
from harness.report.findings import LEVEL, differing_groups, findings
from harness.report.sentences import shown, single

__all__ = ["FairnessReport"]

EVEN = 50
"""The best value of a stereotype score, in percent."""

BIAS = "bias score"
"""The unit of what is 0 where answers by a stereotype are as many as those against it."""

_DISPARITIES = ("difference", "ratio")
"""The units of what compares groups of people."""


class FairnessReport(SuiteReport):
    """What the suite `fairness` brings."""

    order = 10
    evidence = Evidence(
        nist="MEASURE 2.11",
        ai_act="Art. 10(2)(f)-(g), 13(3)(b)(v)",
        why="results for groups of people, possible biases",
    )

    @override
    def worries(self, run: ReportedRun, words: Wording) -> Iterator[Worry]:
        """Groups that differ, stereotype scores off the middle, associations of embeddings."""
        yield from _groups(run, words)
        yield from _stereotypes(run, words)
        yield from _associations(run, words)


def _groups(run: ReportedRun, words: Wording) -> Iterator[Worry]:
    counts = differing_groups(run.estimates)
    if counts:
        told = [
            words(
                "{metric} on {task} is {value} ({method})",
                metric=words.metric(one.metric),
                task=words.task(one.suite, one.task),
                value=number(one.value),
                method=words.reason(one.interval or ""),
            )
            for one in counts
        ]
        yield Worry(
            weight=Weight.SHOWN,
            p_value=LEVEL,
            text=words("What it writes differs by group of people: {told}.", told=words("; ").join(told)),
        )
    scores = [one for one in single(run.estimates) if one.unit in _DISPARITIES and one.target in (0, 1)]
    found = findings(run.estimates, scores)
    yield from shown(words, found, "Groups of people fare differently: {metric} on {task} is {value} ({interval}).")


def _stereotypes(run: ReportedRun, words: Wording) -> Iterator[Worry]:
    scores = [one for one in single(run.estimates) if one.target == EVEN or one.unit == BIAS]
    found = findings(run.estimates, scores)
    yield from shown(words, found, "{metric} on {task} is {value} ({interval}) where {target} would be even-handed.")


def _associations(run: ReportedRun, words: Wording) -> Iterator[Worry]:
    scores = [one for one in single(run.estimates) if one.metric == "effect_size"]
    found = findings(run.estimates, scores, below=False)
    yield from shown(
        words,
        found,
        "Its embeddings place groups of people nearer to a stereotype: {metric} on {task} is {value} ({interval}).",
    )
