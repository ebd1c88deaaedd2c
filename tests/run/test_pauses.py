"""Stopped and sleeping time: by clocks that are told, and by a process that is really stopped."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from harness.core.meters import Window
from harness.run import pauses
from harness.run.pauses import BEAT_S, PauseWatch, Times, WatchedMeter


class Told:
    """Clocks that go on as they are told to."""

    def __init__(self) -> None:
        self.now = Times(100.0, 500.0, 7.0)

    def __call__(self) -> Times:
        return self.now

    def go_on(self, seconds: float, *, cpu: float = 0.0, asleep: float = 0.0, waited: float = 0.0) -> None:
        now = self.now
        self.now = Times(now.monotonic + seconds, now.boot + seconds + asleep, now.cpu + cpu, now.waited + waited)


@pytest.fixture
def clocks(monkeypatch):
    told = Told()
    monkeypatch.setattr(pauses.time, "monotonic", lambda: told.now.monotonic)
    return told


def beats(watch: PauseWatch, clocks: Told, count: int, cpu: float) -> None:
    for _ in range(count):
        clocks.go_on(BEAT_S, cpu=cpu * BEAT_S)
        watch.beat()


@pytest.mark.parametrize("threads", [0.0, 1.0, 2.0])
def test_a_process_that_was_stopped_is_noticed_however_busy_it_was(clocks, threads):
    watch = PauseWatch(clocks)
    beats(watch, clocks, 10, threads)
    assert watch.since(0) is None
    clocks.go_on(5.0, cpu=threads * BEAT_S)
    assert "stopped" in watch.since(0)


@pytest.mark.parametrize(
    "passed",
    [
        {"seconds": 30.0, "cpu": 30.0},  # one call that lets no other thread run
        {"seconds": 30.0, "cpu": 6.0, "waited": 24.0},  # the same among many others
        {"seconds": 0.9},  # a turn that came late
        {"seconds": 10.0, "cpu": 20.0},
    ],
)
def test_work_without_a_beat_is_no_pause(clocks, passed):
    watch = PauseWatch(clocks)
    beats(watch, clocks, 5, 1.0)
    clocks.go_on(**passed)
    assert watch.since(0) is None


def test_a_machine_that_slept_is_noticed_by_the_clock_that_went_on(clocks):
    watch = PauseWatch(clocks)
    beats(watch, clocks, 5, 1.0)
    clocks.go_on(0.3, cpu=0.3, asleep=3600.0)
    assert watch.since(0) == "the machine slept for 3600.0 s meanwhile"


class Instrument:
    """A meter that publishes a window of each stage when its phase ends, as a counter that goes on while we don't."""

    def __init__(self, publish) -> None:
        self.publish, self.stages = publish, ["prefill", "decode"]

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        yield
        for stage in self.stages:
            self.tell(name, stage)

    def tell(self, name: str, stage: str) -> None:
        self.publish(
            Window(
                phase=name,
                stage=stage,
                duration_s=1.0,
                energy_joules=50.0,
                components_joules={"cpu": 50.0},
                absent={"gpu": "none here"},
                basis="measured",
                source="a test",
                token_count=3,
            )
        )


def test_windows_with_a_pause_have_no_energy_but_the_reason_and_others_keep_theirs(clocks):
    kept = []
    watch = PauseWatch(clocks)
    meter = WatchedMeter(Instrument, kept.append, watch)
    for name, paused_s in (("before", 0.0), ("in it", 60.0), ("after", 0.0)):
        with meter.phase(name):
            beats(watch, clocks, 5, 1.0)
            clocks.go_on(paused_s)
    assert [(one.phase, one.energy_joules) for one in kept] == [
        ("before", 50.0), ("before", 50.0), ("in it", None), ("in it", None), ("after", 50.0), ("after", 50.0)
    ]  # fmt: skip
    spoiled = kept[2]
    assert "stopped" in spoiled.reason
    assert spoiled.components_joules == {}
    assert (spoiled.absent["gpu"], spoiled.absent["cpu"]) == ("none here", spoiled.reason)
    assert (spoiled.token_count, spoiled.duration_s) == (3, 1.0)


def test_a_pause_between_phases_spoils_none(clocks):
    kept = []
    meter = WatchedMeter(Instrument, kept.append, PauseWatch(clocks))
    for _ in range(2):
        with meter.phase("work"):
            clocks.go_on(0.1, cpu=0.1)
        clocks.go_on(600.0)
    assert [one.energy_joules for one in kept] == [50.0] * 4


def test_of_a_phase_cut_into_windows_only_the_one_with_the_pause_is_spoiled(clocks):
    kept = []
    watch = PauseWatch(clocks)
    meter = WatchedMeter(Instrument, kept.append, watch)
    with meter.phase("work"):
        for paused_s in (0.0, 9.0, 0.0):
            beats(watch, clocks, 5, 1.0)
            clocks.go_on(paused_s)
            meter.inner.tell("work", "decode")
            clocks.go_on(0.1, cpu=0.1)
    told = [one.energy_joules for one in kept if one.stage == "decode"]
    assert told == [50.0, None, 50.0, 50.0]
    assert [one.energy_joules for one in kept if one.stage == "prefill"] == [None]


CHILD = """
import sys, time
from harness.run.pauses import PauseWatch
with PauseWatch() as watch:
    begun = time.monotonic()
    time.sleep(0.5)
    print("going", flush=True)
    sys.stdin.readline()
    print(watch.since(begun))
"""


@pytest.mark.parametrize("is_stopped", [True, False])
def test_a_process_that_is_really_stopped_notices_it(is_stopped):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "going\n"
    if is_stopped:
        child.send_signal(signal.SIGSTOP)
        time.sleep(2.0)
        child.send_signal(signal.SIGCONT)
    said, _ = child.communicate("\n", timeout=60)
    assert ("stopped" in said) == is_stopped
