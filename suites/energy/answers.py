"""The correct answers of each suite, for the energy of one."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.core.meters import MEASURING, Window
from harness.core.tasks import Results
from harness.metrics.written import ACCURACY

__all__ = ["CORRECT", "Answers", "answers_by_suite"]

CORRECT = ("acc", ACCURACY.name)
"""The metrics whose scores are 1 for a correct answer and 0 for another: chosen, and written ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """A suite's correct answers with their standard error, the requests that they took, and their windows."""

    suite: str
    correct_count: float
    stderr: float | None
    request_count: int
    windows: Sequence[Window]


def answers_by_suite(results: Results) -> list[Answers]:
    """Those of each suite that was asked something and all of whose tasks score `CORRECT`, in the run's order."""
    found = []
    for suite in dict.fromkeys(suite for suite, _ in results.scores):
        windows = [
            window
            for window in results.windows
            if window.phase.startswith(f"{suite}/") and window.phase not in MEASURING
        ]
        tasks = [task for owner, task in results.scores if owner == suite]
        if windows and all(_has_correct(results, suite, task) for task in tasks):
            found.append(_answers(results, suite, tasks, windows))
    return found


def _has_correct(results: Results, suite: str, task: str) -> bool:
    return any(score.metric in CORRECT for score in results.scores[suite, task])


def _answers(results: Results, suite: str, tasks: Sequence[str], windows: Sequence[Window]) -> Answers:
    accuracies = [
        one
        for one in results.estimates
        if one.suite == suite and one.metric in CORRECT and one.group is None and one.value is not None
    ]
    errors = [None if one.stderr is None else one.n * one.stderr for one in accuracies]
    known = [error for error in errors if error is not None]
    return Answers(
        suite=suite,
        correct_count=math.fsum(one.n * one.value for one in accuracies if one.value is not None),
        stderr=math.hypot(*known) if len(known) == len(errors) else None,
        request_count=sum(results.request_counts.get((suite, task), 0) for task in tasks),
        windows=windows,
    )
