"""Runs of a parent and its children, and of each child beside the parent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from harness.checkpoints import resolve
from harness.core.errors import InputError
from harness.core.process.network import offline_if
from harness.core.process.progress import Progress
from harness.core.text.reasons import Reason
from harness.record import RunRecord
from harness.run.options import EvalOptions
from harness.run.pipeline import evaluate_each
from harness.run.references import find_reference, referring_suites

__all__ = ["EvaluatedFamily", "evaluate_family"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluatedFamily:
    """The parent's run, those of the children, and those of the children beside the parent.

    The last are runs of their own, so that neither the memory nor the energy of the others is that of two models. A
    child that can't be held against the parent has none: `refused` has the reason, by its fingerprint.
    """

    parent: RunRecord
    children: Sequence[RunRecord]
    beside: Sequence[RunRecord]
    refused: Mapping[str, Reason]


def evaluate_family(
    parent: str, children: Sequence[str], *, suite: Sequence[str], options: EvalOptions, progress: Progress
) -> EvaluatedFamily:
    """Evaluate them all.

    Raises `HarnessError`, before anything is computed for a model that can't be resolved.
    """
    alone = replace(options, reference=None)
    beside = replace(options, reference=parent, meter="none")
    with offline_if(options.offline, parent, *children):
        faults = {child: _fault(child, beside) for child in children}
    first, *others = evaluate_each([parent, *children], suite=suite, options=alone, progress=progress)
    comparable = [child for child in children if faults[child] is None]
    held = evaluate_each(comparable, suite=referring_suites(), options=beside, progress=progress) if comparable else ()
    refused = {
        run.spec.fingerprint: Reason(
            "{child} can't be held against {parent}: {fault}",
            child=run.spec.model,
            parent=first.spec.model,
            fault=fault,
        )
        for child, run in zip(children, others, strict=True)
        if (fault := faults[child]) is not None
    }
    return EvaluatedFamily(parent=first, children=others, beside=list(held), refused=refused)


def _fault(child: str, options: EvalOptions) -> str | None:
    """Why the child can't be held against the reference of these options; None where it can."""
    found = resolve(child, offline=options.offline, kind=options.kind, base=options.base, endpoint=options.endpoint)
    try:
        find_reference(found, options)
    except InputError as error:
        return error.problem
    return None
