"""What was spent between two readings of an energy instrument. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from harness.core.meters import CounterReading
from harness.core.text.reasons import Reason

__all__ = ["SpentJoules", "energy_between"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpentJoules:
    """Joules spent by part, each at least 0, and the reason for each part whose energy is not known.

    `guessed` are the parts without a counter at either end, whatever their instrument promises.
    """

    joules: Mapping[str, float]
    failed: Mapping[str, str]
    guessed: frozenset[str] = frozenset()


def energy_between(before: CounterReading, after: CounterReading) -> SpentJoules:
    """What each part that either reading knows has spent between the two.

    A counter that is missing, not finite, or lower than before (it was reset, or wrapped around) gives no energy
    but a reason.
    """
    joules: dict[str, float] = {}
    failed: dict[str, str] = {}
    known = before.joules.keys() | after.joules.keys() | before.failed.keys() | after.failed.keys()
    for part in sorted(known):
        start, end = before.joules.get(part), after.joules.get(part)
        if start is None or end is None:
            why = after.failed.get(part) or before.failed.get(part) or "not in both readings"
            failed[part] = Reason("the counter could not be read ({why})", why=why)
        elif not (math.isfinite(start) and math.isfinite(end)):
            failed[part] = "the counter is not a finite number"
        elif end < start:
            failed[part] = "the counter ran backwards or was reset"
        else:
            joules[part] = end - start
    return SpentJoules(joules=joules, failed=failed, guessed=before.guessed | after.guessed)
