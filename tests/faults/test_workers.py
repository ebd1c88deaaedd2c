"""`make workers`: workers are killed at random moments, of a run by the real command, and nothing is lost."""

import random
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from harness.record import load_record
from tests.faults.conftest import WORKERS, Tally
from tests.faults.shared import SharedRun, replicas

pytestmark = pytest.mark.skipif(not WORKERS, reason="takes minutes: make workers")

KILLED = 20
PAUSE_S = 1.0
"""From a kill, or a look, to the next, on average."""


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
    for number in range(KILLED):
        run = SharedRun(tmp_path / f"run{number}", tiny_llama, short, workers=2)
        of_this = kill_replicas(run, draw, KILLED - killed)
        run.end()
        same = run.scores() == alone.scores() and load_record(run.record).verify() == []
        for _ in range(of_this):
            tally.add("SIGKILL of a worker", survived=same)
        assert same, f"run {number}"
        killed += of_this
        if killed == KILLED:
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
