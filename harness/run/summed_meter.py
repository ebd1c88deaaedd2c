"""One meter of several machines that work together: the sum of what the meter of each sees."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Protocol

from typing_extensions import override

from harness.core.meters import Meter, Publish, Window
from harness.core.scores import Basis
from harness.core.text.reasons import Reason, told_together

__all__ = ["MachineMeter", "SummedMeter", "summed"]

CUT_S = 30.0
"""A window is closed by the first count of work after so many seconds, so that a killed run loses little."""


class MachineMeter(Protocol):
    """The meter of one machine, which may be another than this one. Phases don't nest."""

    @property
    def is_measuring(self) -> bool:
        """Whether it is an instrument."""
        ...

    def begin(self, phase: str) -> None:
        """What follows is work of the phase."""
        ...

    def end(self) -> Sequence[Window]:
        """The phase is over: what was seen of it."""
        ...


class SummedMeter(Meter):
    """Sums the windows of all machines, by their names; what one of them can't say is absent, with the reason.

    Several workers do different things at once, so that a window has a stage only where all of its work was of one.
    """

    def __init__(
        self, machines: Mapping[str, MachineMeter], publish: Publish, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._machines, self._publish, self._clock = machines, publish, clock
        self._work: dict[str | None, tuple[int, int]] = {}
        self._stage: str | None = None
        self._phase = ""
        self._begun = clock()
        self._missed: str | None = None

    @property
    def is_measuring(self) -> bool:
        """Whether any of the machines has an instrument."""
        return any(one.is_measuring for one in self._machines.values())

    @contextmanager
    @override
    def phase(self, name: str) -> Iterator[None]:
        self._begin(name)
        try:
            yield
        finally:
            self._end()

    @override
    def stage(self, name: str) -> None:
        self._stage = name

    @override
    def count(self, *, tokens: int, requests: int) -> None:
        before = self._work.get(self._stage, (0, 0))
        self._work[self._stage] = (before[0] + tokens, before[1] + requests)
        if self._clock() - self._begun >= CUT_S:
            self._end()
            self._begin(self._phase)

    def miss(self, why: str) -> None:
        """Work was done in this phase that no meter saw."""
        self._missed = why

    @override
    def close(self) -> None:
        """Whoever made the meters of the machines closes them."""

    def _begin(self, name: str) -> None:
        self._phase, self._begun = name, self._clock()
        for machine in self._machines.values():
            machine.begin(name)

    def _end(self) -> None:
        seen = {name: machine.end() for name, machine in self._machines.items()}
        worked = {stage: done for stage, done in self._work.items() if any(done)}
        stages = {stage for stage, (tokens, _) in worked.items() if tokens} or set(worked)
        self._work = {}
        missed, self._missed = self._missed, None
        if not worked and not any(seen.values()):
            return
        window = summed(
            seen,
            phase=self._phase,
            stage=next(iter(stages)) if len(stages) == 1 else None,
            duration_s=self._clock() - self._begun,
            token_count=sum(tokens for tokens, _ in worked.values()),
            request_count=sum(requests for _, requests in worked.values()),
        )
        self._publish(
            replace(window, energy_joules=None, components_joules={}, components_basis={}, reason=missed)
            if missed
            else window
        )


def summed(
    seen: Mapping[str, Sequence[Window]],
    *,
    phase: str,
    stage: str | None,
    duration_s: float,
    token_count: int,
    request_count: int,
) -> Window:
    """One window of all that was seen at the same time, by the machines' names."""
    windows = [window for found in seen.values() for window in found]
    lacks = {
        name: next(
            (window.reason or "no energy" for window in found if window.energy_joules is None),
            None if found else Reason("its meter saw nothing"),
        )
        for name, found in seen.items()
    }
    alone = len(seen) == 1

    def of(name: str, text: str) -> str:
        return text if alone else Reason("{name}: {reason}", name=name, reason=text)

    reasons = [of(name, why) for name, why in lacks.items() if why]
    absent = {
        part: of(name, why) for name, found in seen.items() for window in found for part, why in window.absent.items()
    }
    parts = {part for window in windows for part in window.components_joules} - set(absent)
    first = next(iter(windows), None)
    return Window(
        phase=phase,
        stage=stage,
        duration_s=duration_s,
        energy_joules=None if reasons else sum(window.energy_joules or 0.0 for window in windows),
        components_joules={
            part: sum(window.components_joules.get(part, 0.0) for window in windows) for part in sorted(parts)
        },
        components_basis=_bases(windows, parts),
        absent=absent,
        basis="measured" if windows and all(window.basis == "measured" for window in windows) else "estimated",
        source="; ".join(
            dict.fromkeys(
                window.source if alone else f"{name}: {window.source}" for name in seen for window in seen[name]
            )
        )
        or "no meter",
        reason=told_together(reasons) or None,
        request_count=request_count,
        token_count=token_count,
        region=first.region if first else None,
        carbon_grams_per_kwh=first.carbon_grams_per_kwh if first else None,
    )


def _bases(windows: Sequence[Window], parts: Collection[str]) -> dict[str, Basis]:
    """A part is measured where a counter was read for it on every machine; unknown where one doesn't say."""
    found: dict[str, Basis] = {}
    for part in sorted(parts):
        said = [window.components_basis.get(part) for window in windows if part in window.components_joules]
        if None not in said:
            found[part] = "measured" if set(said) == {"measured"} else "estimated"
    return found
