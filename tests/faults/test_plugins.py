"""A plug-in that raises, hangs or ends its process is recorded as failed with its reason; the others survive."""

import textwrap
from pathlib import Path

import pytest

from harness.record import load_record
from tests.faults.conftest import ALL, Place, Tally

MODULE = '''
import ctypes
import os
import sys
import time
from contextlib import contextmanager

from harness.core.metrics import Mean
from harness.core.requests import Loglikelihood
from harness.core.scores import Score
from harness.core.tasks import Sample, Suite, Task


def fault():
    {fault}


class Poem(Task):
    """Does it rhyme?"""

    name = "poem"
    metrics = [Mean(name="acc", unit="share", source="none", direction="higher")]
    asks = [Loglikelihood]

    def samples(self, rows, settings):
        {samples}
        return [Sample(id=str(n), prompt=f"line {{n}}") for n in range(4)]

    def requests(self, sample):
        return [Loglikelihood(context=sample.prompt, continuation=" rhymes")]

    def follow_up(self, sample, responses):
        {follow_up}
        return ()

    def score(self, sample, responses):
        {score}
        return [Score(sample_id=sample.id, metric="acc", value=1.0)]


class Poetry(Suite):
    """Poems."""

    name = "poetry"
    tasks = ("poem",)

    def derive(self, results):
        {derive}
        return ()


class Clock:
    """Measures nothing."""

    def __init__(self, publish, region):
        pass

    @contextmanager
    def phase(self, name):
        {enter}
        yield
        {leave}

    def stage(self, name):
        pass

    def count(self, tokens, requests):
        {count}

    def close(self):
        pass
'''
STEPS = ("samples", "follow_up", "score", "derive", "enter", "leave", "count")
RAISES = ('raise ValueError("no such rhyme")', "raised ValueError: no such rhyme")
HANGS = ("time.sleep(600)", "took more than 1 s")
LEAVES = ("sys.exit(7)", "tried to end the process (exit code 7)")
VANISHES = ("os._exit(7)", "ended its process (exit code 7)")
CRASHES = ("ctypes.string_at(0)", "died of SIGSEGV")


def install(folder: Path, fault: str, step: str) -> Path:
    """A package with a suite, a task and a meter, of which one step has the fault."""
    site = folder / "site"
    about = site / "faulty_poems-1.0.dist-info"
    about.mkdir(parents=True)
    steps = {name: "fault()" if name == step else "pass" for name in STEPS}
    (site / "faulty_poems.py").write_text(textwrap.dedent(MODULE).format(fault=fault, **steps))
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: faulty-poems\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        "[harness.suites]\npoetry = faulty_poems:Poetry\n"
        "[harness.tasks]\npoem = faulty_poems:Poem\n"
        "[harness.meters]\nfaulty_clock = faulty_poems:Clock\n"
    )
    return site


FAULTS = (RAISES, HANGS, LEAVES, VANISHES, CRASHES)
CASES = [
    (VANISHES, "samples"),
    (HANGS, "score"),
    (RAISES, "follow_up"),
    (CRASHES, "derive"),
]
if ALL:
    CASES = [(fault, step) for step in ("samples", "follow_up", "score", "derive") for fault in FAULTS]


@pytest.mark.parametrize(("fault", "step"), CASES)
def test_the_others_survive_and_it_is_recorded_with_its_reason(
    place: Place, tmp_path, undisturbed, tally: Tally, fault, step
):
    code, reason = fault
    site = install(tmp_path, code, step)
    ended = place.run(options=("--suite", "poetry", "--plugin-timeout", "1"), paths=(str(site),))
    assert ended.exit_code == 3, ended.err
    record = load_record(place.record)
    assert record.verify() == []
    assert record.is_partial
    (failure,) = record.failures
    assert reason in failure
    estimates, wanted = record.estimates, load_record(undisturbed.record).estimates
    ours = ["task", "metric", "value", "stderr", "n", "signature"]
    assert estimates[estimates["suite"] == "mine"][ours].equals(wanted[ours])
    assert reason in ended.out
    assert "Traceback" not in ended.err
    tally.add("plug-in raises, hangs, crashes or ends its process", survived=True)


def test_a_finished_run_says_what_failed_in_it(place: Place, tmp_path):
    options = ("--suite", "poetry")
    paths = (str(install(tmp_path, RAISES[0], "score")),)
    place.run(options=options, paths=paths)
    again = place.run(options=options, paths=paths)
    assert again.exit_code == 3
    assert "finished already" in again.err
    assert f"poetry/poem failed: the code of the task or suite {RAISES[1]}" in again.err
    assert "delete the folder" in again.err


def test_where_nothing_else_is_asked_the_command_says_why_it_can_not_run(place: Place, tmp_path):
    site = install(tmp_path, VANISHES[0], "samples")
    process = place.start_process(
        (["eval", "--model", str(place.model), "--suite", "poetry", "--meter", "none"], place.folder, [], [str(site)])
    )
    process.join()
    message = (place.folder / "err.txt").read_text()
    assert process.exitcode == 2
    assert VANISHES[1] in message
    assert "poem" in message
    assert "Traceback" not in message


@pytest.mark.parametrize("step", ["enter", "leave", "count"] if ALL else ["leave"])
def test_a_meter_that_fails_costs_the_energy_alone(place: Place, tmp_path, undisturbed, tally: Tally, step):
    site = install(tmp_path, RAISES[0], step)
    ended = place.run(options=("--meter", "faulty_clock"), paths=(str(site),))
    assert ended.exit_code == 0, ended.err
    assert "no energy is measured any more: the meter raised ValueError" in ended.err
    record = load_record(place.record)
    assert record.windows
    assert all(window.energy_joules is None and RAISES[1] in (window.reason or "") for window in record.windows)
    wanted = undisturbed.scores()["scores.parquet"]
    assert (place.record / "scores.parquet").read_bytes() == wanted
    tally.add("meter of a plug-in fails", survived=True)
