"""Ctrl-C and SIGTERM: the run ends within seconds whatever it is at, says how to go on, and goes on."""

import os
import signal
import time
from collections.abc import Callable

import pytest

from harness.record import load_record
from tests.faults.conftest import Place, Started, Tally
from tests.faults.test_kills import lost_responses, resumes_to_the_same_bytes

PATIENCE_S = 60


def wait_for(there: Callable[[], bool], started: Started) -> None:
    """The moment at which something is there; the process must still be at work."""
    begun = time.monotonic()
    while not there():
        assert started.process.exitcode is None, started.end().err
        assert time.monotonic() - begun < PATIENCE_S
        time.sleep(0.01)


def some_answers(place: Place) -> bool:
    return any(path.stat().st_size > 2000 for path in (place.folder / "runs").glob("*/journal.jsonl"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_which_says_how_to_go_on(place, undisturbed, tally: Tally, number):
    started = place.start(("slow", 0.2), ("acknowledge", str(place.folder / "acknowledged")))
    wait_for(lambda: some_answers(place), started)
    begun = time.monotonic()
    os.kill(started.pid, number)
    ended = started.end()
    within = time.monotonic() - begun < 5
    assert ended.exit_code == 3
    assert "the same command goes on from here" in ended.err
    assert "Traceback" not in ended.err
    lost = lost_responses(place)
    same = resumes_to_the_same_bytes(place, undisturbed)
    tally.add(f"{signal.Signals(number).name}", survived=same and within, lost=lost)
    assert same
    assert lost == 0


def test_a_forward_pass_that_heeds_nothing_is_left_all_the_same(place, undisturbed, tally: Tally):
    started = place.start(("stuck", 10**9))
    wait_for((place.folder / "stuck").exists, started)
    os.kill(started.pid, signal.SIGINT)
    ended = started.end()
    assert ended.exit_code == 3
    assert "the same command goes on from here" in ended.err
    assert load_record(place.record).state == "started"
    same = resumes_to_the_same_bytes(place, undisturbed)
    tally.add("SIGINT during native code", survived=same)
    assert same


def test_a_second_ctrl_c_is_immediate(place, undisturbed, tally: Tally):
    started = place.start(("stuck", 10**9))
    wait_for((place.folder / "stuck").exists, started)
    os.kill(started.pid, signal.SIGINT)
    time.sleep(0.2)
    os.kill(started.pid, signal.SIGINT)
    ended = started.end()
    assert ended.exit_code == 130
    assert "Traceback" not in ended.err
    same = resumes_to_the_same_bytes(place, undisturbed)
    tally.add("second Ctrl-C", survived=same)
    assert same
