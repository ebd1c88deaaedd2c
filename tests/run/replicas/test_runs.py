"""A run that workers share is the run of one process: the same scores, byte for byte, whoever dies meanwhile."""

import os
import signal
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from harness.core.errors import CheckpointError
from harness.core.process.progress import Quiet
from harness.record import RunRecord, RunWriter
from harness.run.options import EvalOptions
from harness.run.pipeline import run
from harness.run.planning import Plan, plan
from harness.run.replicas.fleet import Fleet
from harness.run.replicas.options import ReplicaOptions
from tests.tiny import build_tiny_checkpoint

TASKS = ("piqa", "robustness_piqa", "real_toxicity")
"""Choices, choices in rounds that depend on the answers, and texts."""


class Killing(Quiet):
    """Kills a worker once so many answers are there; 0 kills none."""

    def __init__(self, fleet: Fleet, after: int) -> None:
        self._fleet, self._left = fleet, after

    def advance(self, steps: int = 1) -> None:
        before, self._left = self._left, self._left - steps
        if self._left <= 0 < before:
            os.kill(self._fleet.facts[-1].process_id, signal.SIGKILL)


@pytest.fixture(scope="module")
def planned(tiny_llama: Path) -> Plan:
    options = EvalOptions(limit=6, meter="none", replicas=ReplicaOptions(threads=1))
    return plan(str(tiny_llama), suite=(), task=TASKS, options=options)


@pytest.fixture(scope="module")
def alone(planned: Plan, tmp_path_factory: pytest.TempPathFactory) -> RunRecord:
    """The run of one process, of one thread."""
    return answered(planned, tmp_path_factory.mktemp("alone"), None, Quiet())


def answered(planned: Plan, folder: Path, fleet: Fleet | None, progress: Quiet) -> RunRecord:
    with closing(RunWriter(folder, planned.spec)) as writer:
        return run(planned, writer, progress, fleet=fleet)


def lines(folder: Path) -> int:
    return len((folder / "journal.jsonl").read_bytes().splitlines())


def shared(planned: Plan) -> Plan:
    return replace(planned, replicas=ReplicaOptions(workers=2, threads=1))


@pytest.mark.parametrize("killed_after", [0, 20])
def test_two_workers_seal_the_same_scores(
    planned: Plan, alone: RunRecord, fleet: Fleet, tmp_path: Path, killed_after: int
) -> None:
    record = answered(shared(planned), tmp_path, fleet, Killing(fleet, killed_after))
    for name in ("scores.parquet", "responses.parquet", "estimates.json", "spec.json"):
        assert (record.folder / name).read_bytes() == (alone.folder / name).read_bytes(), name
    assert record.verify() == []
    assert [one["torch_threads"] for one in record.environment["workers"]][:2] == [1, 1]
    assert record.environment["torch_threads"] == alone.environment["torch_threads"] == 1


def test_what_was_begun_by_workers_goes_on_alone(planned: Plan, alone: RunRecord, fleet: Fleet, tmp_path: Path) -> None:
    class Stopped(Quiet):
        def advance(self, steps: int = 1) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        answered(shared(planned), tmp_path, fleet, Stopped())
    (folder,) = tmp_path.iterdir()
    assert 0 < lines(folder) < lines(alone.folder)
    record = answered(planned, tmp_path, None, Quiet())
    assert (record.folder / "scores.parquet").read_bytes() == (alone.folder / "scores.parquet").read_bytes()


def test_a_checkpoint_that_a_machine_does_not_see_is_named_with_the_machine(fleet: Fleet, tmp_path: Path) -> None:
    folder = build_tiny_checkpoint(tmp_path / "model", seed=1)
    planned = plan(str(folder), suite=(), task="piqa", options=EvalOptions(limit=1, meter="none"))
    (folder / "model.safetensors").unlink()
    with pytest.raises(CheckpointError) as raised:
        answered(shared(planned), tmp_path / "runs", fleet, Quiet())
    assert "doesn't see" in str(raised.value)
    assert str(folder / "model.safetensors") in str(raised.value)
    assert fleet.facts[0].node in str(raised.value)
