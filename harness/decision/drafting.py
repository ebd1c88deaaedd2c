"""A first policy, written from what a run measured."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import special

from harness.core.errors import InputError
from harness.core.metrics import Undefined
from harness.core.scores import Estimate
from harness.core.statistics import CONFIDENCE, POWER, two_sided
from harness.core.text.display import number
from harness.decision.contrasts import Contrasts
from harness.decision.keys import Key
from harness.decision.limits import is_reading, limits, unit_count
from harness.decision.policy import Policy
from harness.decision.scored import Scored
from harness.record import RunRecord

__all__ = ["CHANGED", "draft"]

CHANGED = math.sqrt(0.4)
"""Standard error of the difference to an equal model, in parts of a score's own, where no second run tells it.

It is that of right and wrong answers in halves, a tenth of which change.
"""

_USUAL_N: int = Policy.model_fields["smallest_n"].default
_REACH = float(special.ndtri(CONFIDENCE))

_DRAWN = 1000
"""Resamples for a margin, which is rounded to two digits."""

_EQUAL = {
    False: "a model\n# a tenth of whose answers change; `--equal RUN` measures it on a run of one, for smaller margins",
    True: "what\n# differs no more than the run that --equal named",
}

_HEAD = """\
# Written from the run {run_id} of {model}. {said}
# Set each {what} to what your users need, before the next run.
# Beside a rule that blocks may stand the same one with a stricter bound and `severity: warn`.
# {command}; what each key means: docs/gate.md.
format: 1
name: draft
confidence: {confidence}
inconclusive: block     # or warn, or pass
smallest_n: {smallest_n}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Number:
    """A score that a rule may be on: its bounds, and how its difference to an equal model behaves.

    That is worse by `shift`, which the run of one tells, has the standard error `error`, and its bound lies `reach`
    away from it.
    """

    key: Key
    estimate: Estimate
    low: float
    high: float
    units: int
    error: float
    reach: float
    shift: float = 0.0

    @property
    def value(self) -> float:
        assert self.estimate.value is not None
        return self.estimate.value


def draft(record: RunRecord, *, absolute: bool = False, equal: RunRecord | None = None) -> str:
    """A commented policy of the run's headlines, or of each task's first metric where a suite has none.

    Its rules are relative to a baseline, with margins that as many samples can decide: a model that is equal passes all
    of them with a probability of 80 %, its differences being those of `equal`, a run of such a model (the same weights
    in another precision, say), or else of a model a tenth of whose answers change. Or they are `absolute`: floors
    and ceilings at what the run shows for sure. Numbers with a target have a margin around it. Raises `InputError`
    where no score has an interval to bound it by.
    """
    run = Scored(record)
    every = [one for key in _chosen(run) if (one := _number(run, key, absolute, equal))]
    if not every:
        raise InputError(
            "none of its scores has an interval, so no bound can be derived",
            place=record.folder,
            fix="Draft the policy from a run with more samples (--limit)",
        )
    many = [one for one in every if one.units >= _USUAL_N]
    kept = many or every
    pins = "".join(f"  {task.suite}/{task.task}: {task.requests_sha256[:12]}\n" for task in record.spec.tasks)
    pinned = (
        f"tasks:                  # what was measured, by the digest of its prompts: anything else is an ERROR\n{pins}"
    )
    rules = [_absolute(one) for one in kept] if absolute else _relative(kept)
    few = [one for one in every if one not in kept]
    return f"{_head(record, kept, absolute, equal is not None)}{_left_out(few)}{pinned}rules:\n" + "\n".join(rules)


def _head(record: RunRecord, kept: Sequence[_Number], absolute: bool, equal: bool) -> str:
    if absolute:
        said = (
            f"Every bound is what that run shows for sure (a one-sided\n# {CONFIDENCE:.0%} bound), so the run passes."
        )
        command = "`harness gate RUN --policy THIS_FILE`"
    else:
        chance = math.prod(_passes(one, _margin(one, len(kept))) for one in kept)
        said = (
            "Its rules let a model lose no more than a margin against a\n"
            f"# baseline. A model that is equal to it passes with probability {chance:.2f} (all {len(kept)} rules "
            "together);\n# one that is worse by a whole margin passes that rule with probability 0.05. Equal is "
            f"{_EQUAL[equal]}."
        )
        command = "`harness gate RUN --policy THIS_FILE --baseline RUN`"
    return _HEAD.format(
        run_id=record.run_id,
        model=record.spec.model,
        said=said,
        what="bound" if absolute else "margin",
        command=command,
        confidence=CONFIDENCE,
        smallest_n=_USUAL_N,
    )


def _left_out(few: Sequence[_Number]) -> str:
    """What has too few samples for a rule, so that nobody takes it for gated."""
    if not few:
        return ""
    named = "".join(f"#   {_named(one.key)}: {one.units}\n" for one in few)
    return f"# Without a rule, as fewer than {_USUAL_N} independent samples decide little; ask more (--limit):\n{named}"


def _chosen(run: Scored) -> list[Key]:
    found: dict[tuple[str, str], Key] = {}
    with_headline = {key.suite for key, one in run.estimates.items() if key.is_headline and one.value is not None}
    for key, one in run.estimates.items():
        if key.group is not None or one.value is None or is_reading(run, key):
            continue
        if (key.suite in with_headline) == key.is_headline:
            found.setdefault((key.suite, key.task), key)
    return list(found.values())


def _number(run: Scored, key: Key, absolute: bool, equal: RunRecord | None) -> _Number | None:
    """None for what has no bounds, or where a target is met to the last digit, which allows no margin."""
    estimate = run.estimates[key]
    try:
        found = limits(run, key, CONFIDENCE)
    except Undefined:
        return None
    if found.low is None or found.high is None:
        return None
    if estimate.target is not None and found.low == found.high == estimate.target:
        return None
    error = CHANGED * (found.high - found.low) / 2 / _REACH
    reach, shift = _REACH * error, 0.0
    if not absolute and estimate.target is None:
        # Of a run against itself the bound still allows for changes that so few samples don't show.
        contrast = Contrasts(run, Scored(equal) if equal else run, confidence=two_sided(CONFIDENCE), resamples=_DRAWN)
        change = contrast.of(key).difference
        if change is None or change.low is None or change.high is None:
            return None
        seen = max(change.value - change.low, change.high - change.value)
        if equal:
            error, reach = seen / _REACH, seen
            shift = max(0.0, change.value if estimate.direction == "lower" else -change.value)
        reach = max(reach, seen)
    units = unit_count(run, key)
    return _Number(
        key=key,
        estimate=estimate,
        low=found.low,
        high=found.high,
        units=units,
        error=error,
        reach=reach,
        shift=shift,
    )


def _relative(kept: Sequence[_Number]) -> list[str]:
    rules = []
    for one in kept:
        margin = _margin(one, len(kept))
        chance = f"an equal model passes with probability {_passes(one, margin):.2f}"
        if one.estimate.target is not None:
            rules.append(_rule(one, "target", f"margin: {margin:g}  # around {one.estimate.target:g}; {chance}"))
        else:
            rules.append(_rule(one, "non_inferior", f"margin: {margin:g}  # {chance}"))
    return rules


def _absolute(one: _Number) -> str:
    if one.estimate.target is not None:
        margin = max(abs(one.low - one.estimate.target), abs(one.high - one.estimate.target))
        return _rule(one, "target", f"margin: {_outward(margin, up=True)}  # around {one.estimate.target:g}")
    if one.estimate.direction == "lower":
        return _rule(one, "ceiling", f"bound: {_outward(one.high, up=True)}")
    return _rule(one, "floor", f"bound: {_outward(one.low, up=False)}")


def _margin(one: _Number, count: int) -> float:
    """What an equal model stays within so often that it passes all of `count` such rules with the usual power.

    Rounded up to two digits.
    """
    z = float(special.ndtri(POWER ** (1 / count)))
    return float(_outward(_offset(one) + one.reach + z * one.error, up=True, digits=2))


def _passes(one: _Number, margin: float) -> float:
    """With what probability an equal model stays within the margin."""
    room = margin - _offset(one) - one.reach
    return float(special.ndtr(room / one.error)) if one.error else float(room >= 0)


def _offset(one: _Number) -> float:
    """How far a number is from its target, with its error; of what is held against a baseline, how much worse it is."""
    target = one.estimate.target
    return one.shift if target is None else max(abs(one.low - target), abs(one.high - target)) - one.reach


def _rule(one: _Number, kind: str, bound: str) -> str:
    lines = [
        f"- kind: {kind}  # it has {number(one.value)} {one.estimate.unit}, n = {one.estimate.n}",
        *_place(one.key),
        bound,
    ]
    if one.units < _USUAL_N:
        lines.append(f"smallest_n: {max(1, one.units)}  # so few say little: ask for more with --limit")
    return "".join(("  " if index == 0 else "    ") + line + "\n" for index, line in enumerate(lines))


def _place(key: Key) -> list[str]:
    task = [] if key.is_headline else [f"task: {key.task}", f"metric: {key.metric}"]
    return [f"suite: {key.suite}", *task]


def _named(key: Key) -> str:
    return key.suite if key.is_headline else f"{key.suite}/{key.task}/{key.metric}"


def _outward(value: float, *, up: bool, digits: int = 4) -> str:
    """So many digits, rounded to the side on which the run still passes."""
    if value == 0:
        return "0.0"
    step = 10.0 ** (math.floor(math.log10(abs(value))) + 1 - digits)
    rounded = (math.ceil(value / step) if up else math.floor(value / step)) * step
    return repr(float(f"{rounded:.6g}"))
