"""`make workers`: a cluster of several machines, all on this one: they leave, join, lack files, have other versions."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.record import load_record
from tests.faults.conftest import WORKERS, Tally
from tests.faults.machines import Head, namespaces
from tests.faults.shared import SharedRun, replicas

LONG = 400
"""Samples a task of the run during which a machine joins."""

pytestmark = [
    pytest.mark.skipif(not WORKERS, reason="takes minutes: make workers"),
    pytest.mark.skipif(not namespaces(), reason="needs a machine that lets a process have a host name of its own"),
]
WAIT_S = 300.0


@pytest.fixture(scope="module")
def cluster(short: Path) -> Iterator[Head]:
    """A first machine without workers, and `beta` and `gamma` with one each."""
    head = Head(short)
    head.joined("beta")
    head.joined("gamma")
    yield head
    head.lose_others()
    head.lose()


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, tiny_llama: Path, short: Path) -> SharedRun:
    """The run of one process, without workers."""
    run = SharedRun(tmp_path_factory.mktemp("alone"), tiny_llama, short, workers=None)
    run.end()
    return run


def refused(run: SharedRun) -> str:
    """The one line with which it ended."""
    assert run.process.wait(WAIT_S) == 2
    *notes, line = run.said().splitlines()
    assert not any("Traceback" in note for note in notes)
    return line


def test_each_machine_has_one_meter_and_the_sum_names_them(
    cluster: Head, tmp_path: Path, tiny_llama: Path, short: Path
) -> None:
    options = ("--ray-address", cluster.address, "--meter", "codecarbon", "--limit", "4")
    run = SharedRun(tmp_path, tiny_llama, short, workers=2, options=options)
    run.end()
    windows = load_record(run.record).windows
    assert windows
    for window in windows:
        assert window.energy_joules is not None, window.reason
        assert all(f"{name}: codecarbon" in window.source for name in ("beta", "gamma")), window.source


def test_a_machine_that_does_not_see_the_checkpoint_is_named(
    cluster: Head, tmp_path: Path, tiny_llama: Path, short: Path
) -> None:
    blind = cluster.joined("delta", hidden=tiny_llama)
    run = SharedRun(tmp_path, tiny_llama, short, workers=3, options=("--ray-address", cluster.address))
    line = refused(run)
    blind.lose()
    assert str(tiny_llama) in line
    assert "the machine delta doesn't see" in line


def test_a_machine_with_other_versions_is_named(cluster: Head, tmp_path: Path, tiny_llama: Path, short: Path) -> None:
    other = tmp_path / "other" / "transformers-0.1.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: transformers\nVersion: 0.1\n")
    stranger = cluster.joined("epsilon", environment={"PYTHONPATH": str(other.parent)})
    run = SharedRun(tmp_path / "run", tiny_llama, short, workers=3, options=("--ray-address", cluster.address))
    line = refused(run)
    stranger.lose()
    assert "the worker on epsilon: has transformers 0.1 and not" in line


def test_from_a_machine_that_is_none_of_the_cluster(
    cluster: Head, tmp_path: Path, tiny_llama: Path, short: Path, alone: SharedRun
) -> None:
    run = SharedRun(tmp_path, tiny_llama, short, workers=2, options=("--ray-address", cluster.clients))
    run.end()
    assert run.scores() == alone.scores()


def test_the_same_run_twice_at_once(
    cluster: Head, tmp_path: Path, tiny_llama: Path, short: Path, alone: SharedRun
) -> None:
    options = ("--ray-address", cluster.address)
    first = SharedRun(tmp_path, tiny_llama, short, workers=2, options=options)
    until = time.monotonic() + WAIT_S
    while not first.answers():
        assert first.is_at_work, first.said()
        assert time.monotonic() < until
        time.sleep(0.01)
    second = SharedRun(tmp_path, tiny_llama, short, workers=1, options=options, said="second.txt")
    assert f"another process (pid {first.process.pid}) is writing this run" in refused(second)
    first.end()
    assert first.scores() == alone.scores()


def test_a_machine_leaves_and_another_joins(
    cluster: Head, tmp_path: Path, tiny_llama: Path, short: Path, tally: Tally
) -> None:
    """Of a run that is long enough for a worker to begin on the new machine."""
    alone = SharedRun(tmp_path / "alone", tiny_llama, short, workers=None, limit=LONG)
    alone.end()
    options = ("--ray-address", cluster.address)
    run = SharedRun(tmp_path / "shared", tiny_llama, short, workers=2, options=options, limit=LONG)
    until = time.monotonic() + WAIT_S
    while run.answers() < alone.answers() / 20:
        assert run.is_at_work, run.said()
        assert time.monotonic() < until
        time.sleep(0.01)
    cluster.others[0].lose()
    zeta = cluster.joined("zeta")
    joined = False
    while run.is_at_work and not joined:
        joined = bool(replicas(zeta.process.pid))
        time.sleep(0.05)
    run.end()
    same = run.scores() == alone.scores() and load_record(run.record).verify() == []
    tally.add("a machine leaves, another joins", survived=same)
    assert same
    assert joined, "the run had ended before the new machine had a worker"
