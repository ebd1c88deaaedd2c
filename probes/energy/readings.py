"""What an energy instrument is asked for, and what was spent between two of its readings. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from harness.core.scores import Basis
from harness.core.text.reasons import Reason

__all__ = ["CounterReading", "Instrument", "SpentJoules", "energy_between"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterReading:
    """Joules counted up so far, by part (cpu, ram, gpu).

    `failed` has the reason for each part that is missing, and `guessed` the parts that are there although their counter
    couldn't be read, from samples of their power.
    """

    joules: Mapping[str, float]
    failed: Mapping[str, str] = field(default_factory=dict)
    guessed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class SpentJoules:
    """Joules spent by part, each at least 0, and the reason for each part whose energy is not known.

    `guessed` are the parts without a counter at either end, whatever their instrument promises.
    """

    joules: Mapping[str, float]
    failed: Mapping[str, str]
    guessed: frozenset[str] = frozenset()


class Instrument(Protocol):
    """Counts energy up, part by part.

    `source` says in words how, `bases` has each part, as `measured` where it is read from a hardware counter, and
    `absent` gives the reason for each part that can't be seen. Intervals shorter than `resolution_s` say little.
    """

    source: str
    bases: Mapping[str, Basis]
    absent: Mapping[str, str]
    resolution_s: float

    def read(self) -> CounterReading:
        """The counters now. Never raises: what can't be read is missing from the reading."""
        ...

    def close(self) -> None:
        """Release the instrument."""
        ...


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
