"""What happens around a run: its checkpoint is edited, clocks jump, others want the same run or the same store."""

import math
import os
import signal
import sqlite3
from contextlib import closing

import pytest

from harness.core.meters import CounterReading, Window
from harness.record import load_record
from probes.energy.grid import find_grid
from probes.energy.windows import WindowedMeter
from tests.faults.conftest import ALL, Place, Tally, new_place
from tests.faults.test_kills import resumes_to_the_same_bytes
from tests.faults.test_signals import some_answers, wait_for
from tests.tiny import build_tiny_checkpoint

WRITERS = 8
EACH = 6 if ALL else 1


def test_a_checkpoint_edited_during_the_run_is_noticed_at_the_seal(tmp_path, start_process, tally: Tally):
    model = build_tiny_checkpoint(tmp_path / "model")
    weights = model / "model.safetensors"
    before = weights.read_bytes()
    place = new_place(tmp_path / "place", model, start_process)
    ended = place.run(("edit_while_running", str(weights)))
    assert ended.exit_code == 2
    assert "model.safetensors changed while the run was going on" in ended.err
    assert load_record(place.record).state == "started"
    assert list((place.record / "set-aside").glob("*.jsonl"))
    weights.write_bytes(before)
    ended = place.run()
    assert ended.exit_code == 0, ended.err
    assert "going on where" not in ended.err
    assert load_record(place.record).verify() == []
    tally.add("checkpoint edited during the run", survived=True)


def test_a_checkpoint_that_was_only_touched_is_the_same(tmp_path, start_process):
    model = build_tiny_checkpoint(tmp_path / "model")
    place = new_place(tmp_path / "place", model, start_process)
    started = place.start(("slow", 0.1))
    wait_for(lambda: some_answers(place), started)
    (model / "model.safetensors").touch()
    ended = started.end()
    assert ended.exit_code == 0, ended.err


@pytest.mark.parametrize("hours", [30, -30] if ALL else [30])
def test_clocks_may_jump(place: Place, undisturbed, tally: Tally, hours):
    ended = place.run(("jumping_clock", hours), options=("--meter", "codecarbon"))
    assert ended.exit_code == 0, ended.err
    record = load_record(place.record)
    assert record.windows
    assert all(0 <= window.duration_s < 3600 for window in record.windows)
    order = list(dict.fromkeys(window.phase for window in record.windows))
    assert order == ["idle", "load", "mine/loglikelihood", "mine/loglikelihood_rolling"]
    assert (place.record / "scores.parquet").read_bytes() == undisturbed.scores()["scores.parquet"]
    tally.add("wall clock jumps", survived=True)


def test_the_same_run_twice_at_once(place: Place, undisturbed, tally: Tally):
    first = place.start(("slow", 1.5))
    wait_for(lambda: some_answers(place), first)
    second = new_place(place.folder / "second", place.model, place.start_process)
    refused = second.run(options=("--output", str(place.folder / "runs")))
    assert refused.exit_code == 2
    assert f"pid {first.pid}" in refused.err
    assert "is writing this run" in refused.err
    os.kill(first.pid, signal.SIGKILL)
    first.process.join()
    same = resumes_to_the_same_bytes(place, undisturbed)
    tally.add("same run twice at once", survived=same)
    assert same


def test_eight_writers_on_one_store(undisturbed, tmp_path, start_process, tiny_llama, tally: Tally):
    """Eight processes put runs of their own into one store at once."""
    places = []
    for writer in range(WRITERS):
        place = new_place(tmp_path / str(writer), tiny_llama, start_process)
        places.append(place)
    store = tmp_path / "store.sqlite"
    for number in range(EACH):
        started = [
            place.start(options=("--seed", str(100 * number + writer), "--store", str(store)))
            for writer, place in enumerate(places)
        ]
        ended = [one.end() for one in started]
        assert [one.exit_code for one in ended] == [0] * WRITERS, [one.err for one in ended]
        assert not any("the store lacks it" in one.err for one in ended)
    with closing(sqlite3.connect(store)) as database:
        (count,) = database.execute("SELECT count(DISTINCT run_id) FROM runs WHERE status = 'verified'").fetchone()
    lost = WRITERS * EACH - count
    tally.add(f"eight writers on one store, {WRITERS * EACH} runs", survived=not lost, lost=lost)
    assert lost == 0


def test_a_report_whose_typesetter_is_killed_leaves_the_record_and_can_be_run_again(
    place: Place, undisturbed, tally: Tally
):
    command = ["report", undisturbed.record.name, "--output", str(undisturbed.record.parent), "--pdf", "report.pdf"]
    before = {path.name: path.read_bytes() for path in undisturbed.record.iterdir()}
    process = place.start_process((command, place.folder, [("kill_typesetter", None)], []))
    process.join()
    message = (place.folder / "err.txt").read_text()
    assert process.exitcode == 2, message
    assert "The record is intact" in message
    assert "Traceback" not in message
    assert not (place.folder / "report.pdf").exists()
    assert {path.name: path.read_bytes() for path in undisturbed.record.iterdir()} == before
    process = place.start_process((command, place.folder, [], []))
    process.join()
    assert process.exitcode == 0
    assert (place.folder / "report.pdf").read_bytes().startswith(b"%PDF")
    tally.add("report renderer is killed", survived=True)


class Counter:
    """An energy counter that goes up by 3 J a reading, until one that is broken; a reset one goes on from there."""

    source, resolution_s = "counter", 0.0
    bases, absent = {"cpu": "measured"}, {}

    def __init__(self, at: int, fault: str) -> None:
        self.at, self.fault, self.count, self.joules = at, fault, 0, 1000.0

    def read(self) -> CounterReading:
        self.count += 1
        self.joules += 3.0
        if self.count == self.at and self.fault == "missing":
            return CounterReading(joules={}, failed={"cpu": "no such file"})
        if self.count == self.at and self.fault == "reset":
            self.joules = 0.0
        is_number = self.count != self.at or self.fault != "no number"
        return CounterReading(joules={"cpu": self.joules if is_number else math.nan})

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("missing", "no such file"), ("reset", "ran backwards"), ("no number", "not a finite number")],
)
def test_an_energy_counter_that_is_missing_or_runs_backwards_has_no_energy(fault, reason, tally: Tally):
    for at in range(2, 7):
        windows: list[Window] = []
        meter = WindowedMeter(windows.append, Counter(at, fault), find_grid(None))
        for phase in ("load", "a/loglikelihood", "b/loglikelihood"):
            with meter.phase(phase):
                meter.count(tokens=1, requests=1)
        absent = [window for window in windows if window.energy_joules is None]
        held = 1 <= len(absent) <= 2 and all(reason in (one.reason or "") for one in absent)
        held = held and all(window.energy_joules > 0 for window in windows if window not in absent)
        tally.add("energy counter missing, backwards or no number", survived=held)
        assert held, windows
