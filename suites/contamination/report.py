"""What contamination brings to a report: its p values beside the scores of the tasks that they are about."""

from collections.abc import Iterator

from typing_extensions import override

from harness.core import registry
from harness.core.errors import HarnessError
from harness.core.reports import Evidence, ReportedRun, SuiteReport, Wording
from harness.core.scores import Estimate
from harness.core.text.display import number
from suites.contamination.orders import OrderTask
from suites.contamination.overlap import OVERLAP_METRICS, OverlapTask
from suites.contamination.twins import TwinTask

__all__ = ["ContaminationReport"]

_PREFIXES = ("exchangeability", "freshness", "overlap")


class ContaminationReport(SuiteReport):
    """What the suite `contamination` brings. It has no worries: a p value is no verdict."""

    order = 70
    evidence = Evidence(
        nist="MEASURE 2.3, 2.5", ai_act="Art. 10, 15(1)", why="whether scores may rest on questions seen in training"
    )

    @override
    def beside(self, run: ReportedRun, words: Wording) -> Iterator[tuple[str, str]]:
        """What was found of each task's rows, in one sentence."""
        found: dict[str, list[str]] = {}
        for one in run.estimates:
            telling = one.p_value is not None or one.metric == OVERLAP_METRICS[0].name
            if telling and one.value is not None and one.group is None and (task := _about(one.task)):
                found.setdefault(task, []).append(_said(words, one))
        for task, said in found.items():
            text = words("Traces of its rows in training, which are no verdict: {found}.", found=words("; ").join(said))
            yield task, text


def _about(name: str) -> str | None:
    """The task whose rows a task of ours looks at; None for a task of another kind."""
    prefix, colon, inner = name.partition(":")
    if colon:
        return inner if prefix in _PREFIXES else None
    try:
        task = registry.task(name)
    except HarnessError:  # not installed here
        return None
    return task.inner.name if isinstance(task, OrderTask | TwinTask | OverlapTask) else None


def _said(words: Wording, one: Estimate) -> str:
    return " ".join(filter(None, (f"{words.metric(one.metric)} {number(one.value)}", one.by_chance)))
