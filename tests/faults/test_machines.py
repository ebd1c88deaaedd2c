"""`make workers`: a cluster of several machines, all on this one: each has its meter, its files and its versions."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.record import load_record
from tests.faults.conftest import WORKERS
from tests.faults.machines import Head, namespaces
from tests.faults.shared import SharedRun

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
