"""`make workers`: workers and their driver are killed at random moments, by the real command, and nothing is lost."""

import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from harness.record import load_record
from tests.faults.conftest import WORKERS, Tally
from tests.faults.shared import SharedRun, descendants, replicas

pytestmark = pytest.mark.skipif(not WORKERS, reason="takes minutes: make workers")

KILLED_WORKERS, KILLED_DRIVERS = 20, 5
PAUSE_S = 1.0
"""From a kill, or a look, to the next, on average."""
GONE_S = 180.0
"""In which Ray's processes end when their driver was killed."""


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, tiny_llama: Path, short: Path) -> SharedRun:
    """The run of one process, without workers."""
    run = SharedRun(tmp_path_factory.mktemp("alone"), tiny_llama, short, workers=None)
    run.end()
    return run


def test_random_kills_of_workers_change_nothing(
    tmp_path: Path, tiny_llama: Path, short: Path, alone: SharedRun, tally: Tally
) -> None:
    draw = random.Random(0)
    killed = 0
    for number in range(KILLED_WORKERS):
        run = SharedRun(tmp_path / f"run{number}", tiny_llama, short, workers=2)
        of_this = kill_replicas(run, draw, KILLED_WORKERS - killed)
        run.end()
        same = run.scores() == alone.scores() and load_record(run.record).verify() == []
        for _ in range(of_this):
            tally.add("SIGKILL of a worker", survived=same)
        assert same, f"run {number}"
        killed += of_this
        if killed == KILLED_WORKERS:
            return
    pytest.fail(f"only {killed} kills found a worker")


def kill_replicas(run: SharedRun, draw: random.Random, most: int) -> int:
    """Kill workers of the run at random moments, each after a batch since the last; how many were killed."""
    killed = answered = 0
    while run.is_at_work and killed < most:
        time.sleep(draw.expovariate(1 / PAUSE_S))
        if run.answers() > answered and (found := replicas(run.process.pid)):
            answered = run.answers()
            with suppress(psutil.NoSuchProcess):
                draw.choice(found).kill()
                killed += run.is_at_work
    return killed


def test_random_kills_of_the_driver_lose_nothing(
    tmp_path: Path, tiny_llama: Path, short: Path, alone: SharedRun, tally: Tally
) -> None:
    """One run, killed again and again, each time further on."""
    draw, step = random.Random(0), alone.answers() // (KILLED_DRIVERS + 1)
    kept: set[str] = set()
    losses: list[int] = []
    for number in range(KILLED_DRIVERS):
        run = SharedRun(tmp_path, tiny_llama, short, workers=2)
        at = number * step + draw.randrange(1, step)
        while run.answers() < at or run.ids() == kept:
            assert run.is_at_work, run.said()
            time.sleep(0.01)
        others = descendants(run.process.pid)
        os.kill(run.process.pid, signal.SIGKILL)
        run.process.wait()
        losses.append(len(kept - run.ids()))
        kept = run.ids()
        _, alive = psutil.wait_procs(others, timeout=GONE_S)
        assert not alive, "processes are left"
        assert len(run.folders()) == 1, "of this one, whose owner was killed just now, and of none before"
    run = SharedRun(tmp_path, tiny_llama, short, workers=2)
    run.end()
    assert run.folders() == []
    losses[-1] += len(kept - run.ids())
    same = run.scores() == alone.scores() and load_record(run.record).verify() == []
    for lost in losses:
        tally.add("SIGKILL of the command, with workers", survived=same, lost=lost)
    assert same
    assert not any(losses)
