"""SIGKILL at any moment: no acknowledged response is lost, and the scores come out the same to the byte."""

import os
import random
import signal
import time

import pytest

from harness.record import load_record
from harness.record.changes import other_files
from harness.record.journal import read_lines
from tests.faults.conftest import ALL, Place, Started, Tally, new_place

MOMENTS = 50 if ALL else 4
THRICE = 10 if ALL else 1


def acknowledged(place: Place) -> set[str]:
    path = place.folder / "acknowledged"
    return set(path.read_text().splitlines()) if path.exists() else set()


def lost_responses(place: Place) -> int:
    """Acknowledged responses that the journal doesn't hold."""
    acked = acknowledged(place)
    if not acked:
        return 0
    held = {entry["request_id"] for entry, _ in read_lines(place.record / "journal.jsonl")}
    return len(acked - held)


def kill_after(started: Started, seconds: float) -> bool:
    """Whether it was still at work when it was killed."""
    started.process.join(seconds)
    if started.process.exitcode is not None:
        return False
    os.kill(started.pid, signal.SIGKILL)
    started.process.join()
    return True


def resumes_to_the_same_bytes(place: Place, undisturbed: Place) -> bool:
    ended = place.run()
    assert ended.exit_code == 0, ended.err
    return place.scores() == undisturbed.scores() and load_record(place.record).verify() == []


@pytest.fixture(scope="module")
def duration_s(undisturbed: Place, tmp_path_factory, tiny_llama, start_process) -> float:
    place = new_place(tmp_path_factory.mktemp("timed") / "place", tiny_llama, start_process)
    begun = time.monotonic()
    place.run(("acknowledge", str(place.folder / "acknowledged")))
    return time.monotonic() - begun


@pytest.mark.parametrize("number", range(MOMENTS))
def test_at_a_random_moment(tmp_path, tiny_llama, start_process, undisturbed, duration_s, tally: Tally, number):
    """A kill that comes when the run has ended is none, and is tried earlier."""
    for attempt in range(10):
        place = new_place(tmp_path / f"place{attempt}", tiny_llama, start_process)
        share = (number + random.Random(number).random()) / MOMENTS * 0.8**attempt
        if kill_after(place.start(("acknowledge", str(place.folder / "acknowledged"))), duration_s * share):
            break
    else:
        pytest.fail("every run ended before it was killed")
    lost = lost_responses(place)
    same = resumes_to_the_same_bytes(place, undisturbed)
    tally.add("SIGKILL at a random moment", survived=same, lost=lost)
    assert same
    assert lost == 0


def steps(undisturbed: Place) -> int:
    return len((undisturbed.folder / "steps").read_text())


@pytest.mark.parametrize("share", [None] if ALL else [0.2, 0.75, 0.9, 1.0])
def test_at_a_change_of_state(tmp_path, tiny_llama, start_process, undisturbed, tally: Tally, share):
    """Just before and just after each sync, rename and cut: of a batch in the journal, of a table, of the seal."""
    last = steps(undisturbed)
    chosen = range(1, last + 1) if share is None else [max(1, round(last * share))]
    for step in chosen:
        place = new_place(tmp_path / f"place{step}", tiny_llama, start_process)
        ended = place.run(("kill_at", step), ("acknowledge", str(place.folder / "acknowledged")))
        assert ended.exit_code == -signal.SIGKILL
        lost = lost_responses(place)
        same = resumes_to_the_same_bytes(place, undisturbed)
        tally.add("SIGKILL at a change of state", survived=same, lost=lost)
        assert same
        assert lost == 0


@pytest.mark.parametrize("number", range(THRICE))
def test_three_times_in_one_run(place, undisturbed, tally: Tally, number):
    """Each kill falls further on, the last on what a resumed process has already resumed."""
    answered = len(list(read_lines(undisturbed.record / "journal.jsonl")))
    draw = random.Random(number).random
    lost = 0
    for third in range(3):
        started = place.start(("acknowledge", str(place.folder / "acknowledged")), ("slow", 0.1))
        kill_when_answered(place, started, 1 + round(answered * (third + draw()) / 4))
        lost += lost_responses(place)
    same = resumes_to_the_same_bytes(place, undisturbed)
    tally.add("SIGKILL three times in one run", survived=same, lost=lost)
    assert same
    assert lost == 0


def kill_when_answered(place: Place, started: Started, count: int) -> None:
    """Kill it once so many responses are acknowledged, by it and by those before it, and it has added one itself."""
    before = len(acknowledged(place))
    while len(acknowledged(place)) < max(count, before + 1):
        assert started.process.exitcode is None, "it ended before it was killed"
        time.sleep(0.005)
    os.kill(started.pid, signal.SIGKILL)
    started.process.join()


def test_a_killed_run_is_listed_as_started_and_never_as_sealed(place, undisturbed):
    before_the_seal_has_its_name = steps(undisturbed) - 3
    place.run(("kill_at", before_the_seal_has_its_name))
    assert load_record(place.record).state == "scored"
    assert list(place.record.glob(".seal.json.*"))
    assert resumes_to_the_same_bytes(place, undisturbed)
    assert other_files(place.record) == []
