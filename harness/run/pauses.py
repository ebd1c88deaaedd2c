"""Time in which this process did not run, stopped or on a machine that slept, and the windows that it spoils."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from typing_extensions import override

from harness.core.meters import Meter, Publish, Window
from harness.core.text.reasons import Reason

__all__ = ["Clocks", "PauseWatch", "Times", "WatchedMeter", "read_clocks"]

BEAT_S = 0.2
SHORTEST_S = 1.0
"""A shorter pause may be anybody's turn on a busy machine."""


@dataclass(frozen=True, slots=True)
class Times:
    """What the clocks say, in seconds: `monotonic` stands still while the machine sleeps, and `boot` doesn't.

    `cpu` is what all threads of this process have had of processors, `waited` what its first one waited for its turn.
    """

    monotonic: float
    boot: float
    cpu: float
    waited: float = 0.0


Clocks = Callable[[], Times]


def read_clocks() -> Times:
    """The clocks of this machine; where it has none that goes on while it sleeps, its sleep isn't noticed."""
    monotonic = time.monotonic()
    boot = time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else monotonic
    return Times(monotonic, boot, time.process_time(), _waited())


def _waited() -> float:
    try:
        return int(Path("/proc/self/schedstat").read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):  # another system, or one that doesn't count it
        return 0.0


@dataclass(frozen=True, slots=True)
class _Pause:
    begun: float
    ended: float
    words: str


class PauseWatch:
    """A thread whose beat stops with the process; the gap in it, and what wasn't computed in it, tell of a pause.

    Long work that lets no other thread run has no beat either, but takes up the processor's time. Use it in a `with`
    block.
    """

    def __init__(self, clocks: Clocks = read_clocks) -> None:
        self._clocks = clocks
        self._last = clocks()
        self._rate = 1.0
        self._pauses: list[_Pause] = []
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="pause watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._is_over.set()
        self._thread.join()

    def since(self, begun: float) -> str | None:
        """What is to be said of the pauses after `begun`, on the monotonic clock; None where there was none."""
        self.beat()
        with self._lock:
            return next((pause.words for pause in reversed(self._pauses) if pause.ended > begun), None)

    def beat(self) -> None:
        """Look at the clocks."""
        with self._lock:
            now, last = self._clocks(), self._last
            self._last = now
            lasted, computed = now.monotonic - last.monotonic, now.cpu - last.cpu
            slept_s = (now.boot - last.boot) - lasted
            stopped_s = lasted - BEAT_S - computed / self._rate - (now.waited - last.waited)
            if slept_s >= SHORTEST_S:
                self._pauses.append(
                    _Pause(
                        last.monotonic,
                        now.monotonic,
                        Reason("the machine slept for {seconds} s meanwhile", seconds=f"{slept_s:.1f}"),
                    )
                )
            elif stopped_s >= max(SHORTEST_S, lasted / 2):
                words = Reason(
                    "the process or its machine was stopped for about {seconds} s meanwhile", seconds=f"{stopped_s:.1f}"
                )
                self._pauses.append(_Pause(last.monotonic, now.monotonic, words))
            elif lasted >= BEAT_S:
                self._rate = max(1.0, min(computed / lasted, float(os.cpu_count() or 1)))

    def _go_on(self) -> None:
        while not self._is_over.wait(BEAT_S):
            self.beat()


class WatchedMeter(Meter):
    """A meter whose windows have no energy, but the reason, where the process was paused in them.

    What an instrument counts goes on then: a pause would be charged to the work around it.
    """

    def __init__(self, make: Callable[[Publish], Meter], publish: Publish, watch: PauseWatch) -> None:
        self._publish, self._watch = publish, watch
        self._begun = time.monotonic()
        self._closed: dict[str | None, float] = {}
        self.inner = make(self._pass_on)

    @contextmanager
    @override
    def phase(self, name: str) -> Iterator[None]:
        self._watch.beat()
        self._begun = time.monotonic()
        self._closed = {}
        with self.inner.phase(name):
            yield

    @override
    def stage(self, name: str) -> None:
        self.inner.stage(name)

    @override
    def count(self, *, tokens: int, requests: int) -> None:
        self.inner.count(tokens=tokens, requests=requests)

    @override
    def close(self) -> None:
        self.inner.close()

    def _pass_on(self, window: Window) -> None:
        """A window holds work since the last of the same stage, or since the phase began."""
        begun = self._closed.get(window.stage, self._begun)
        why = self._watch.since(begun)
        self._closed[window.stage] = time.monotonic()
        if why is not None and window.energy_joules is not None:
            lost = dict.fromkeys(window.components_joules, why)
            window = replace(
                window,
                energy_joules=None,
                components_joules={},
                components_basis={},
                absent={**window.absent, **lost},
                reason=why,
            )
        self._publish(window)
