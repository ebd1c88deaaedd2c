"""Workers of stated speeds that share a plan's batches: who computes what, when, and what it costs."""

import heapq
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

__all__ = ["TRIES", "Load", "Machine", "Outcome", "simulate"]

TRIES = 3
"""So often a batch is given to a worker; one at which each of them dies is invalid."""
DETECTION_S = 1.0
"""From the death of a worker until its batch is given to another."""
START_SPREAD = 0.2


@dataclass(frozen=True, slots=True)
class Load:
    """What a batch takes: tokens read, and tokens written one after another."""

    read: int
    written: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Workers, and what they cost; all of it stated, not measured.

    `reading` and `writing` are tokens a second, `batch_s` is added to each batch and `start_s` to each worker's begin,
    `jitter` is the standard deviation of the logarithm of a batch's time. A share `stragglers` of workers takes
    `straggling` times as long. A worker dies every `hours_to_failure` on average, and begins again. `driver_s` is the
    time that the one driver takes for a batch that is done. Power in watts, price in dollars an hour and worker.
    """

    reading: float
    writing: float
    batch_s: float = 0.02
    start_s: float = 40.0
    jitter: float = 0.05
    stragglers: float = 0.02
    straggling: float = 2.0
    hours_to_failure: float = 500.0
    driver_s: float = 0.002
    busy_watts: float = 600.0
    idle_watts: float = 120.0
    usd_per_hour: float = 2.5

    def seconds(self, load: Load) -> float:
        """What a batch takes a worker that is no straggler."""
        return self.batch_s + load.read / self.reading + load.written / self.writing


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a plan: `seconds` from begin to end, start-up included.

    `efficiency` is the work by stated speeds over the time of all workers, from 0 to 1, and `steady` the same without
    the start of the first worker; `speedup` is against one worker's work. `deaths` are workers that died, `invalid`
    batches at which that happened `TRIES` times.
    """

    workers: int
    seconds: float
    efficiency: float
    steady: float
    speedup: float
    deaths: int
    invalid: int
    usd: float
    joules: float


@dataclass(slots=True)
class _Worker:
    factor: float
    dies_at: float
    randomness: Random
    ready_at: float


def simulate(plan: Sequence[Sequence[Load]], machine: Machine, workers: int, seed: int = 0) -> Outcome:
    """Have so many workers share the batches of each phase of the plan, one phase after another.

    Whoever is free gets the largest batch that is left. What befalls a worker is drawn by the seed and its number
    alone, so that more workers are the same ones and others. Raises `ValueError` for a plan without a batch.
    """
    work = math.fsum(machine.seconds(load) for phase in plan for load in phase)
    if work <= 0 or workers < 1:
        raise ValueError("there is no batch, or no worker")
    crowd = [_worker(machine, seed, number) for number in range(workers)]
    begun = min(one.ready_at for one in crowd)
    now, busy, deaths, invalid = 0.0, 0.0, 0, 0
    for phase in plan:
        now, spent, died, lost = _phase(phase, machine, crowd, now)
        busy, deaths, invalid = busy + spent, deaths + died, invalid + lost
    return Outcome(
        workers=workers,
        seconds=now,
        efficiency=work / (workers * now),
        steady=work / (workers * (now - begun)),
        speedup=work / now,
        deaths=deaths,
        invalid=invalid,
        usd=workers * now / 3600 * machine.usd_per_hour,
        joules=busy * machine.busy_watts + (workers * now - busy) * machine.idle_watts,
    )


def _worker(machine: Machine, seed: int, number: int) -> _Worker:
    randomness = Random(f"{seed}/{number}")
    factor = machine.straggling if randomness.random() < machine.stragglers else 1.0
    dies_at = randomness.expovariate(1 / (machine.hours_to_failure * 3600))
    ready_at = machine.start_s * randomness.lognormvariate(0, START_SPREAD)
    return _Worker(factor, dies_at, randomness, ready_at)


def _phase(
    phase: Sequence[Load], machine: Machine, crowd: Sequence[_Worker], begin: float
) -> tuple[float, float, int, int]:
    """The end of a phase, the seconds that workers computed in it, deaths, and batches given up."""
    left = deque(sorted(((machine.seconds(load), 0) for load in phase), reverse=True))
    events = [(max(one.ready_at, begin), number, 0.0, 0, True) for number, one in enumerate(crowd)]
    heapq.heapify(events)
    idle: deque[int] = deque()
    open_count, driver, busy, deaths, invalid = len(left), begin, 0.0, 0, 0
    while open_count:
        now, number, seconds, tries, lived = heapq.heappop(events)
        worker = crowd[number]
        if seconds and lived:
            driver = max(driver, now) + machine.driver_s
            open_count -= 1
            worker.ready_at = now = driver
            busy += seconds
        elif seconds:
            deaths += 1
            busy += seconds
            if tries + 1 < TRIES:
                left.appendleft((seconds, tries + 1))
            else:
                invalid, open_count = invalid + 1, open_count - 1
            driver = max(driver, now + DETECTION_S)
            worker.ready_at = now + machine.start_s * worker.randomness.lognormvariate(0, START_SPREAD)
            worker.dies_at = worker.ready_at + worker.randomness.expovariate(1 / (machine.hours_to_failure * 3600))
            heapq.heappush(events, (worker.ready_at, number, 0.0, 0, True))
            now += DETECTION_S
        if not seconds or lived:
            idle.append(number)
        while left and idle:
            heapq.heappush(events, _given(crowd, idle.popleft(), *left.popleft(), now, machine))
    return driver, busy, deaths, invalid


def _given(
    crowd: Sequence[_Worker], number: int, seconds: float, tries: int, now: float, machine: Machine
) -> tuple[float, int, float, int, bool]:
    """The event that ends a batch which a worker begins now: it is done, or the worker dies at it."""
    worker = crowd[number]
    begin = max(now, worker.ready_at)
    lasts = seconds * worker.factor * worker.randomness.lognormvariate(0, machine.jitter)
    if worker.dies_at < begin + lasts:
        return max(worker.dies_at, begin), number, seconds, tries, False
    return begin + lasts, number, seconds, tries, True
