"""The contract of instruments that measure energy, and what they report."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from typing_extensions import override

from harness.core.scores import Basis

__all__ = [
    "IDLE",
    "MEASURING",
    "REPEATS",
    "SERVER",
    "WARM_UP",
    "CounterReading",
    "Instrument",
    "Meter",
    "NullMeter",
    "Publish",
    "Window",
]

SERVER = "server"
"""The meter of a model that is served by one who counts energy."""

IDLE, WARM_UP, REPEATS = "idle", "warm-up", "repeats"
MEASURING = (IDLE, WARM_UP, REPEATS)
"""Phases that exist for the measurement alone: the machine at rest, a first answer, and answers given again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What a meter saw during one stretch of work.

    `phase` is one of `MEASURING`, `load`, or `suite/kind`; `stage` is what the model did in it (`prefill` reads
    tokens, `decode` writes them, `encode` makes them of pictures and sounds), None outside a model. `energy_joules`
    is the energy of the whole machine as far as `source` can see it, idle draw included; None, with the `reason`,
    where nothing could be measured. `components_joules` holds its parts (cpu, ram, gpu); a part that can't be
    measured is absent and named in `absent`. `components_basis` says of each part whether a counter was read for it,
    and is empty in records of earlier versions; `basis` is `measured` only where it is so for all. Tokens and
    requests are those computed inside the window. `carbon_grams_per_kwh` is the grid's intensity in `region`.
    """

    phase: str
    stage: str | None = None
    duration_s: float
    energy_joules: float | None
    components_joules: Mapping[str, float] = field(default_factory=dict)
    components_basis: Mapping[str, Basis] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)
    basis: Basis
    source: str
    reason: str | None = None
    request_count: int = 0
    token_count: int = 0
    region: str | None = None
    carbon_grams_per_kwh: float | None = None


Publish = Callable[[Window], None]
"""Takes a finished window, such as the record's `append_window`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterReading:
    """Joules counted up so far, by part (cpu, ram, gpu).

    `failed` has the reason for each part that is missing, and `guessed` the parts that are there although their counter
    couldn't be read, from samples of their power.
    """

    joules: Mapping[str, float]
    failed: Mapping[str, str] = field(default_factory=dict)
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


class Meter(Protocol):
    """Measures energy in windows that never overlap; gives each to its `publish` as it ends.

    A window ends when its stage or its phase does, even by an exception, and a long one is cut every few seconds so
    that a killed run loses little and repeated readings give an error. Registered in the entry-point group
    `harness.meters` as a callable `(publish: Publish, region: str | None) -> Meter`.
    """

    def phase(self, name: str) -> AbstractContextManager[None]:
        """All work inside the block belongs to the phase `name`. Phases don't nest."""
        ...

    def stage(self, name: str) -> None:
        """What follows, until the next stage or the end of the phase, belongs to the stage `name`."""
        ...

    def count(self, *, tokens: int, requests: int) -> None:
        """Work done in the present stage since the last call: tokens computed and requests completed."""
        ...

    def close(self) -> None:
        """Release the instrument."""
        ...


class NullMeter(Meter):
    """Measures nothing, for whoever doesn't ask for energy."""

    @contextmanager
    @override
    def phase(self, name: str) -> Iterator[None]:
        yield

    @override
    def stage(self, name: str) -> None:
        pass

    @override
    def count(self, *, tokens: int, requests: int) -> None:
        pass

    @override
    def close(self) -> None:
        pass
