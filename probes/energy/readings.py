"""What an energy instrument is asked for, and what was spent between two of its readings. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from harness.core.scores import Basis
from harness.core.text.reasons import Reason

__all__ = ["CounterReading", "Instrument", "SpentJoules", "energy_between"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterReading:
    """Joules counted up so far, by part (cpu, ram, gpu); `failure` says why parts are missing."""

    joules: Mapping[str, float]
    failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpentJoules:
    """Joules spent by part, each at least 0, and the reason for each part whose energy is not known."""

    joules: Mapping[str, float]
    failed: Mapping[str, str]


class Instrument(Protocol):
    """Counts energy up, part by part.

    `source` says in words how, `basis` is `measured` only where every part is read from a hardware counter, and
    `absent` gives the reason for each part that can't be seen. Intervals shorter than `resolution_s` say little.
    """

    source: str
    basis: Basis
    parts: frozenset[str]
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
    why = after.failure or before.failure or "not in both readings"
    for part in sorted(before.joules.keys() | after.joules.keys()):
        start, end = before.joules.get(part), after.joules.get(part)
        if start is None or end is None:
            failed[part] = Reason("the counter could not be read ({why})", why=why)
        elif not (math.isfinite(start) and math.isfinite(end)):
            failed[part] = "the counter is not a finite number"
        elif end < start:
            failed[part] = "the counter ran backwards or was reset"
        else:
            joules[part] = end - start
    return SpentJoules(joules=joules, failed=failed)
