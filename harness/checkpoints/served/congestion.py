"""How many requests a server is sent at once: as many as it keeps up with."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

__all__ = ["Admission", "CongestionWindow"]

_log = logging.getLogger(__name__)

_FIRST = 4
"""Requests at once before anything is known of the server."""


@dataclass(slots=True)
class Admission:
    """One request under way. `kept_up` is what it says of the server: None where it failed for a reason of its own."""

    round: int
    kept_up: bool | None = None


class CongestionWindow:
    """Lets `most` requests be under way at once, and fewer where the server is overloaded; for several threads.

    One more is allowed for each answer until the server is first overloaded, from then on one more for as many answers
    as there are at once; half as many, one at the least, when it is overloaded. Of what was sent together one overload
    counts, for the others are of the same. (Additive increase, multiplicative decrease: Chiu and Jain, 1989; as TCP
    does it: Jacobson, 1988.)
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._limit = float(min(most, _FIRST))
        self._under_way = self._waiting = 0
        self._round = 0
        self._changed = threading.Condition()

    @property
    def limit(self) -> int:
        """How many requests may be under way now, from 1 to `most`."""
        return int(self._limit)

    @contextmanager
    def place(self) -> Iterator[Admission]:
        """Waits until a request may be sent, which is under way while the block runs."""
        with self._changed:
            self._waiting += 1
            self._changed.wait_for(lambda: self._under_way < self.limit)
            self._waiting -= 1
            self._under_way += 1
            place = Admission(self._round)
        try:
            yield place
        finally:
            with self._changed:
                self._learn(place)
                self._under_way -= 1
                self._changed.notify_all()

    def _learn(self, place: Admission) -> None:
        if place.kept_up and self._waiting:
            # Where nobody waits for a place, the window isn't full, and nothing is learnt about a larger one.
            step = 1 / self._limit if self._round else 1.0
            self._limit = min(float(self.most), self._limit + step)
        elif place.kept_up is False and place.round == self._round:
            self._round += 1
            self._limit = max(1.0, self._limit / 2)
            _log.debug("the server can't keep up: at most %d requests at once", self.limit)
