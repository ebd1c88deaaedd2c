"""Holds the simulation against real workers of Ray's, who sleep as long as they are told, so that no core is a bound.

python -m benchmarks.scaling.workers --help
"""

import os
import platform
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from typing_extensions import override

from benchmarks.scaling.plans import leaderboard, read_plan
from benchmarks.scaling.simulation import Load, Machine, simulate
from harness.core.checkpoints import Checkpoint
from harness.core.meters import NullMeter
from harness.core.models import Batch, Model, ModelOptions, respond
from harness.core.process.progress import Quiet
from harness.core.requests import GenerateUntil, Loglikelihood, Request, Response
from harness.record.environment import package_versions
from harness.run.replicas.fleet import Fleet
from harness.run.replicas.model import RayModel
from harness.run.replicas.options import ReplicaOptions
from harness.run.replicas.replica import Opening, Replica, WorkerFacts

__all__ = ["NOWHERE", "Held", "held"]

WITHIN = 0.1
NOWHERE = Checkpoint(
    ref="none",
    kind="causal",
    path=Path("none"),
    origin="",
    architecture="",
    dtype="float32",
    parameter_count=None,
    size_bytes=None,
    max_length=None,
    has_chat_template=False,
    files={},
    fingerprint="",
)


class Sleeper(Model):
    """Each request is a batch, whose words are its number, the tokens read, and the seconds that it takes."""

    @override
    def plan(self, requests: Sequence[Request]) -> list[Batch]:
        return [Batch((one,), None, int(_words(one)[1]), int(_words(one)[1])) for one in requests]

    @override
    def answer(self, batch: Batch) -> list[Response]:
        (request,) = batch.requests
        time.sleep(float(_words(request)[2]))
        if isinstance(request, GenerateUntil):
            return [Response(request_id=request.id, text="")]
        return [Response(request_id=request.id, loglikelihood=0.0)]


class SleepingReplica(Replica):
    """A worker that loads nothing, so that it is there at once, and sleeps."""

    def __init__(self, threads: int) -> None:
        self._begin(threads)

    @override
    def facts(self, device: str) -> WorkerFacts:
        return WorkerFacts(
            node=socket.gethostname(),
            node_id=self._node_id,
            versions=package_versions(),
            machine=platform.machine(),
            process_id=os.getpid(),
            threads=1,
            device={"device": device},
            peak_memory_bytes=None,
        )

    @override
    def _load(self, opening: Opening) -> Model:
        return Sleeper()


@dataclass(frozen=True, slots=True)
class Held:
    """Seconds from the first batch to the last, of real workers and of simulated ones."""

    workers: int
    real_s: float
    simulated_s: float

    @property
    def difference(self) -> float:
        """Of the real time, what the simulation says more (or less, below 0)."""
        return self.simulated_s / self.real_s - 1


def held(plan: Sequence[Sequence[Load]], machine: Machine, counts: Sequence[int], shrink: float) -> Iterator[Held]:
    """The plan by each number of workers, everything `shrink` times as fast as stated."""
    fast = replace(
        machine, reading=machine.reading * shrink, writing=machine.writing * shrink, batch_s=machine.batch_s / shrink,
        start_s=0.0, jitter=0.0, stragglers=0.0, hours_to_failure=1e9,
    )  # fmt: skip
    for count in counts:
        yield Held(count, _timed(plan, fast, count), simulate(plan, fast, count).seconds)


def _timed(plan: Sequence[Sequence[Load]], machine: Machine, workers: int) -> float:
    with Fleet(ReplicaOptions(workers=workers, threads=1), "cpu", Quiet(), replica=SleepingReplica) as fleet:
        fleet.start()
        model = RayModel(fleet, NOWHERE, ModelOptions(), NullMeter())
        phases = [[_request(number, load, machine) for number, load in enumerate(loads)] for loads in plan]
        begun = time.perf_counter()
        for requests in phases:
            answers = list(respond(model, requests))
            assert len(answers) == len(requests)
        return time.perf_counter() - begun


def _request(number: int, load: Load, machine: Machine) -> Request:
    words = f"{number} {load.read} {machine.seconds(load):.6f}"
    if load.written:
        return GenerateUntil(context=words, max_tokens=load.written)
    return Loglikelihood(context=words, continuation="x")


def _words(request: Request) -> list[str]:
    assert isinstance(request, GenerateUntil | Loglikelihood)
    return request.context.split()


def main(
    plan: Annotated[
        str, typer.Option(help="`leaderboard`, or a file of --save of benchmarks.scaling.")
    ] = "leaderboard",
    workers: Annotated[str, typer.Option(help="How many, parted by commas.")] = "1,2,3,4",
    batch_tokens: Annotated[int, typer.Option(help="Tokens of a batch of `leaderboard`.")] = 65536,
    reading: Annotated[float, typer.Option(help="Tokens a second that a worker reads.")] = 31_000,
    writing: Annotated[float, typer.Option(help="Tokens a second that it writes, in batches.")] = 2_300,
    shrink: Annotated[float, typer.Option(help="Times as fast as stated, since nobody wants to wait.")] = 16,
) -> None:
    """Print what real workers take and what the simulation says; exit code 1 where they differ by more than 10 %."""
    found = leaderboard(batch_tokens) if plan == "leaderboard" else read_plan(Path(plan))
    print("| workers | real, s | simulated, s | difference |\n|--:|--:|--:|--:|")
    machine = Machine(reading=reading, writing=writing)
    outcomes = []
    for one in held(list(found.values()), machine, [int(count) for count in workers.split(",")], shrink):
        outcomes.append(one)
        print(f"| {one.workers} | {one.real_s:.1f} | {one.simulated_s:.1f} | {one.difference:+.1%} |", flush=True)
    if any(abs(one.difference) > WITHIN for one in outcomes):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
