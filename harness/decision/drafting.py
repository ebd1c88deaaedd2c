"""A first policy, written from what a run measured."""

import math

from harness.core.errors import InputError
from harness.core.metrics import Undefined
from harness.core.statistics import CONFIDENCE, samples_for_margin
from harness.decision.keys import Key
from harness.decision.limits import is_reading, limits, unit_count
from harness.decision.policy import Policy
from harness.decision.scored import Scored
from harness.record import RunRecord

__all__ = ["draft"]

_USUAL_N: int = Policy.model_fields["smallest_n"].default

_HEAD = """\
# Written from the run {run_id} of {model}. Every bound is what that run shows for sure (a one-sided
# {confidence:.0%} bound), so the run itself passes; set each to what your users need, before the next run.
# Beside a rule that blocks may stand the same one with a stricter bound and `severity: warn`.
# `harness gate RUN --policy THIS_FILE [--baseline RUN]`; what each key means: docs/gate.md.
format: 1
name: draft
confidence: {confidence}
inconclusive: block     # or warn, or pass
smallest_n: {smallest_n}
"""


def draft(record: RunRecord) -> str:
    """A commented policy of the run's headlines, or of each task's first metric where a suite has none.

    Floors where higher is better, ceilings where lower is, targets with a margin around what was seen. Rules against
    a baseline stand beside them as comments. Raises `InputError` where no score has an interval to bound it by.
    """
    run = Scored(record)
    rules = [text for key in _chosen(run) if (text := _rule(run, key))]
    if not rules:
        raise InputError(
            "none of its scores has an interval, so no bound can be derived",
            place=record.folder,
            fix="Draft the policy from a run with more samples (--limit)",
        )
    pins = "".join(f"  {task.suite}/{task.task}: {task.requests_sha256[:12]}\n" for task in record.spec.tasks)
    head = _HEAD.format(run_id=record.run_id, model=record.spec.model, confidence=CONFIDENCE, smallest_n=_USUAL_N)
    pinned = (
        f"tasks:                  # what was measured, by the digest of its prompts: anything else is an ERROR\n{pins}"
    )
    return f"{head}{pinned}rules:\n" + "\n".join(rules)


def _chosen(run: Scored) -> list[Key]:
    found: dict[tuple[str, str], Key] = {}
    with_headline = {key.suite for key, one in run.estimates.items() if key.is_headline and one.value is not None}
    for key, one in run.estimates.items():
        if key.group is not None or one.value is None or is_reading(run, key):
            continue
        if (key.suite in with_headline) == key.is_headline:
            found.setdefault((key.suite, key.task), key)
    return list(found.values())


def _rule(run: Scored, key: Key) -> str | None:
    estimate = run.estimates[key]
    try:
        found = limits(run, key, CONFIDENCE)
    except Undefined:
        return None
    if found.low is None or found.high is None:
        return None
    if estimate.target is not None:
        margin = max(abs(found.low - estimate.target), abs(found.high - estimate.target))
        if margin == 0:
            return None
        kind, bound = "target", f"margin: {_outward(margin, up=True)}  # around {estimate.target:g}"
    elif estimate.direction == "lower":
        kind, bound = "ceiling", f"bound: {_outward(found.high, up=True)}"
    else:
        kind, bound = "floor", f"bound: {_outward(found.low, up=False)}"
    lines = [f"- kind: {kind}  # it has {estimate.value:.4g} {estimate.unit}, n = {estimate.n}", *_place(key), bound]
    if (units := unit_count(run, key)) < _USUAL_N:
        lines.append(f"smallest_n: {max(1, units)}  # so few say little: ask for more with --limit")
    text = "".join(("  " if index == 0 else "    ") + line + "\n" for index, line in enumerate(lines))
    if estimate.direction is None:
        return text
    margin = 0.02 if estimate.unit == "share" else max(1e-6, abs(estimate.value or 0) * 0.02)
    needs = f"  # about {samples_for_margin(0.1, margin):,} samples if 10 % differ" if estimate.unit == "share" else ""
    against = ["- kind: non_inferior", *_place(key), f"margin: {margin:.3g}{needs}"]
    return text + "".join("  # " + ("" if index == 0 else "  ") + line + "\n" for index, line in enumerate(against))


def _place(key: Key) -> list[str]:
    task = [] if key.is_headline else [f"task: {key.task}", f"metric: {key.metric}"]
    return [f"suite: {key.suite}", *task]


def _outward(value: float, *, up: bool) -> str:
    """Four digits, rounded to the side on which the run still passes."""
    if value == 0:
        return "0.0"
    step = 10.0 ** (math.floor(math.log10(abs(value))) - 3)
    rounded = (math.ceil(value / step) if up else math.floor(value / step)) * step
    return repr(float(f"{rounded:.6g}"))
