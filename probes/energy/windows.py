"""Shares the energy that an instrument counts among phases and stages, in windows that never overlap."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from typing_extensions import override

from harness.core.meters import Instrument, Meter, Publish, Window
from harness.core.scores import Basis
from harness.core.text.reasons import Reason, told_together
from probes.energy.grid import Grid
from probes.energy.readings import SpentJoules, energy_between

__all__ = ["WINDOW_S", "WindowedMeter"]

WINDOW_S = 5.0
"""A window is closed by the first count of work after this many seconds."""

_RESOLVED = 2.0
"""A window lasts so many times what the instrument resolves at least, or most would see its counters stand still."""

BOUNDARY_S = 1e-3
"""Shorter than this is no work but the cost of closing a window."""

Key = tuple[str, str | None]
"""A phase and a stage."""


@dataclass(slots=True)
class _Tally:
    seconds: float = 0.0
    joules: dict[str, float] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    guessed: frozenset[str] = frozenset()
    tokens: int = 0
    requests: int = 0

    @property
    def is_worked(self) -> bool:
        return bool(self.tokens or self.requests)

    def add(self, seconds: float, spent: SpentJoules, share: float) -> None:
        self.seconds += seconds
        self.failed.update(spent.failed)
        self.guessed |= spent.guessed
        for part, joules in spent.joules.items():
            self.joules[part] = self.joules.get(part, 0.0) + joules * share

    def absorb(self, other: "_Tally") -> None:
        self.add(other.seconds, SpentJoules(joules=other.joules, failed=other.failed, guessed=other.guessed), 1.0)


class WindowedMeter(Meter):
    """A `Meter` over any instrument that counts energy up.

    Stretches of the same phase and stage are merged into one window of about `WINDOW_S` seconds. The instrument is
    read at a change of stage, but not more often than it can resolve: what it counts between two readings is shared
    among the stages in between by their time. So no joule is counted twice or lost at a boundary. A window is
    closed when work is counted, so that it holds whole batches; without counts it lasts as long as its phase.

    A phase shorter than the resolution has no energy, with the reason. A single stage shorter than that, in a longer
    phase, has its share by time and counts as estimated; one without any work is merged into the longest window.
    What precedes the first stage of a phase by less than that belongs to this stage, and what follows the last window
    of a phase by less than `BOUNDARY_S` is left out.
    """

    def __init__(
        self,
        publish: Publish,
        instrument: Instrument,
        grid: Grid,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._publish = publish
        self._instrument = instrument
        self._grid = grid
        self._clock = clock
        self._window_s = max(WINDOW_S, _RESOLVED * instrument.resolution_s)
        self._key: Key | None = None
        self._stretches: dict[Key | None, float] = {}
        self._tallies: dict[Key, _Tally] = {}
        self._before = instrument.read()
        self._since = self._read_at = clock()

    @contextmanager
    @override
    def phase(self, name: str) -> Iterator[None]:
        """Raises `RuntimeError` inside another phase."""
        if self._key is not None:
            raise RuntimeError(f"the phase {name} begins inside the phase {self._key[0]}")
        begun = self._clock()
        self._turn((name, None))
        try:
            yield
        finally:
            self._turn(None)
            if self._stretches:
                self._read()
            lasted = self._clock() - begun
            tallies, self._tallies = _without_slivers(self._tallies, self._instrument.resolution_s), {}
            for key, tally in tallies.items():
                if tally.is_worked or tally.seconds >= BOUNDARY_S:
                    self._publish(self._window(key, tally, lasted))

    @override
    def stage(self, name: str) -> None:
        """Raises `RuntimeError` outside a phase."""
        phase, stage = self._here("stage")
        settled = (phase, stage) in self._tallies or (phase, stage) in self._stretches
        if stage is None and not settled and self._clock() - self._since < self._instrument.resolution_s:
            self._key = (phase, name)
        self._turn((phase, name))

    @override
    def count(self, *, tokens: int, requests: int) -> None:
        """Raises `RuntimeError` outside a phase."""
        key = self._here("count")
        tally = self._tallies.setdefault(key, _Tally())
        tally.tokens += tokens
        tally.requests += requests
        pending = self._stretches.get(key, 0.0) + self._clock() - self._since
        if tally.seconds + pending >= self._window_s:
            self._read()
            self._publish(self._window(key, self._tallies.pop(key), self._window_s))

    @override
    def close(self) -> None:
        self._instrument.close()

    def _here(self, call: str) -> Key:
        if self._key is None:
            raise RuntimeError(f"{call} is called outside a phase")
        return self._key

    def _turn(self, key: Key | None) -> None:
        """What follows belongs to `key`; None is outside any phase."""
        if key == self._key:
            return
        self._settle()
        self._key = key
        if self._since - self._read_at >= self._instrument.resolution_s:
            self._read()

    def _settle(self) -> None:
        now = self._clock()
        self._stretches[self._key] = self._stretches.get(self._key, 0.0) + now - self._since
        self._since = now

    def _read(self) -> None:
        """Read the instrument, and share what it counted since the last reading among the stretches in between."""
        after = self._instrument.read()
        self._settle()
        spent = energy_between(self._before, after)
        total = sum(self._stretches.values())
        for key, seconds in self._stretches.items():
            if key is not None and seconds > 0:
                self._tallies.setdefault(key, _Tally()).add(seconds, spent, seconds / total)
        self._stretches = {}
        self._before = after
        self._read_at = self._since

    def _window(self, key: Key, tally: _Tally, lasted: float) -> Window:
        resolution = self._instrument.resolution_s
        failed = dict(tally.failed)
        for part in sorted(self._instrument.bases):
            if part not in failed and tally.joules.get(part, 0.0) <= 0:
                failed[part] = Reason("the counter did not advance in {seconds} s", seconds=f"{tally.seconds:.2f}")
        reason = (
            told_together([Reason("{name}: {reason}", name=part, reason=why) for part, why in sorted(failed.items())])
            or None
        )
        if lasted < resolution:
            reason = Reason(
                "lasted {lasted} s, less than the {resolution} s that the instrument resolves",
                lasted=f"{lasted:.3f}",
                resolution=f"{resolution:g}",
            )
        parts = {} if lasted < resolution else {p: j for p, j in sorted(tally.joules.items()) if p not in failed}
        is_short = tally.seconds < resolution
        bases: dict[str, Basis] = {
            part: "estimated" if is_short or part in tally.guessed else self._instrument.bases[part] for part in parts
        }
        return Window(
            phase=key[0],
            stage=key[1],
            duration_s=tally.seconds,
            energy_joules=None if reason else sum(parts.values()),
            components_joules=parts,
            absent={**self._instrument.absent, **failed},
            components_basis=bases,
            basis="measured" if bases and set(bases.values()) == {"measured"} else "estimated",
            source=f"{self._instrument.source}; carbon of {self._grid.source}",
            reason=reason,
            request_count=tally.requests,
            token_count=tally.tokens,
            region=self._grid.region,
            carbon_grams_per_kwh=self._grid.grams_per_kwh,
        )


def _without_slivers(tallies: dict[Key, _Tally], resolution_s: float) -> dict[Key, _Tally]:
    """The tallies of a phase, those too short to resolve and without any work merged into the longest."""
    slivers = [key for key, tally in tallies.items() if tally.seconds < resolution_s and not tally.is_worked]
    kept = {key: tally for key, tally in tallies.items() if key not in slivers}
    for key in slivers:
        if kept:
            max(kept.values(), key=lambda tally: tally.seconds).absorb(tallies[key])
        else:
            kept[key] = tallies[key]
    return kept
