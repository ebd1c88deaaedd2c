"""Runs of a parent and its children, and of each child beside the parent."""

from collections.abc import Sequence
from dataclasses import replace

from harness.core.process.progress import Progress
from harness.record import RunRecord
from harness.run.options import EvalOptions
from harness.run.pipeline import evaluate_each
from harness.run.references import referring_suites

__all__ = ["evaluate_family"]


def evaluate_family(
    parent: str, children: Sequence[str], *, suite: Sequence[str], options: EvalOptions, progress: Progress
) -> tuple[RunRecord, list[RunRecord], list[RunRecord]]:
    """The parent's run, those of the children, and those of the children beside the parent.

    The last are runs of their own, so that neither the memory nor the energy of the others is that of two models.
    Raises `HarnessError`, before anything is computed for a model that can't be resolved.
    """
    alone = replace(options, reference=None)
    first, *others = evaluate_each([parent, *children], suite=suite, options=alone, progress=progress)
    beside = replace(options, reference=parent, meter="none")
    held = list(evaluate_each(children, suite=referring_suites(), options=beside, progress=progress))
    return first, others, held
