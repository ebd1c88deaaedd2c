"""Workers against one process: how much faster two are, what one costs, and what the process that starts them holds.

    python -m benchmarks.replicas [--write]

Everything computes with one thread, on the default model; what is compared is run in turn, several times, and the ratio
is that of the medians. Give it a quiet machine of two processors.
"""

import gc
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import psutil
import torch
import typer
from typing_extensions import override

from benchmarks.page import put
from harness.checkpoints import resolve
from harness.core.checkpoints import Checkpoint
from harness.core.meters import NullMeter
from harness.core.models import Batch, Model, ModelOptions, answered
from harness.core.process.progress import Quiet
from harness.core.requests import GenerateUntil, Loglikelihood, Request, Response
from harness.engine.opening import open_model
from harness.run.replicas.fleet import Fleet
from harness.run.replicas.model import RayModel
from harness.run.replicas.options import ReplicaOptions
from harness.run.replicas.replica import Opening, Replica

PAGE = Path(__file__).parents[1] / "docs" / "scaling.md"
ROUNDS = 3
QUESTIONS = 80
MANY, FEW = 100_000, 1_000
_TEXT = "the river committee met on Tuesday to discuss energy water and schools before going home again"
_WORDS = _TEXT.split()


class Scripted(Model):
    """Answers by the length of the text, a hundred at a time."""

    @override
    def plan(self, requests: Sequence[Request]) -> list[Batch]:
        ordered = sorted(requests, key=lambda one: one.id)
        return [Batch(tuple(ordered[start : start + 100])) for start in range(0, len(ordered), 100)]

    @override
    def answer(self, batch: Batch) -> list[Response]:
        return [Response(request_id=one.id, loglikelihood=-float(len(str(one)))) for one in batch.requests]


class ScriptedReplica(Replica):
    """A worker without a model."""

    @override
    def _load(self, opening: Opening) -> Model:
        return Scripted()


def requests(seed: int) -> list[Request]:
    """Choices of four options after contexts of unlike lengths, and some texts to write; other ones for each seed."""
    asked: list[Request] = []
    for number in range(QUESTIONS):
        words = [_WORDS[(seed + number * 7 + place * (number % 5 + 1)) % len(_WORDS)] for place in range(30 + number)]
        context = f"Question {seed}-{number}: {' '.join(words)}. Answer:"
        asked += [Loglikelihood(context=context, continuation=f" {' '.join(words[part::9])}") for part in range(4)]
    asked += [GenerateUntil(context=f"Story {seed}-{number}: Once upon", max_tokens=24) for number in range(16)]
    return asked


def seconds(model: Model, asked: Sequence[Request]) -> float:
    """What planning and answering take."""
    began = time.perf_counter()
    count = sum(len(responses) for _, responses in answered(model, model.plan(asked)))
    assert count == len(asked)
    return time.perf_counter() - began


def measured(checkpoint: Checkpoint) -> dict[str, float]:
    """Seconds of one process, of one worker and of two, run in turn; and what it takes until they can answer."""
    torch.set_num_threads(1)
    options = ModelOptions(dtype="float32", device="cpu")
    began = time.perf_counter()
    plain = open_model(checkpoint, options)
    loading = time.perf_counter() - began
    seconds(plain, requests(99))
    found: dict[str, list[float]] = {"alone": []}
    starts: dict[int, float] = {}
    ready: dict[int, float] = {}
    for workers in (1, 2):
        found[f"workers {workers}"] = []
        began = time.perf_counter()
        with Fleet(ReplicaOptions(workers=workers, threads=1), "cpu", Quiet()) as fleet:
            fleet.start()
            starts[workers] = time.perf_counter() - began
            model = RayModel(fleet, checkpoint, options, NullMeter())
            ready[workers] = time.perf_counter() - began
            seconds(model, requests(99))
            for turn in range(ROUNDS):
                asked = requests(turn + 10 * workers)
                found["alone"].append(seconds(plain, asked))
                found[f"workers {workers}"].append(seconds(model, asked) / found["alone"][-1])
    return {
        "loading_s": loading,
        "start_s": starts[2],
        "ready_s": ready[2],
        "alone_s": statistics.median(found["alone"]),
        "one_to_alone": statistics.median(found["workers 1"]),
        "two_times_faster": 1 / statistics.median(found["workers 2"]),
    }


def held_bytes(count: int) -> int:
    """What this process holds more of its own once so many requests were answered by workers."""
    asked = [Loglikelihood(context=f"{number} {' '.join(_WORDS)}", continuation=" yes") for number in range(count)]
    for one in asked:
        _ = one.id
    with Fleet(ReplicaOptions(workers=2, threads=1), "cpu", Quiet(), replica=ScriptedReplica) as fleet:
        fleet.start()
        model = RayModel(fleet, resolve("smollm2-135m"), ModelOptions(), NullMeter())
        seconds(model, [Loglikelihood(context="first", continuation="one")])
        gc.collect()
        before = psutil.Process().memory_full_info().uss
        most = before
        for index, (_, responses) in enumerate(model.answer_each(model.plan(asked))):
            assert responses
            if index % 20 == 0:
                most = max(most, psutil.Process().memory_full_info().uss)
    return most - before


def _apart(count: int) -> int:
    """As `held_bytes`, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.replicas", "--held", str(count)]
    return int(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, env=os.environ).stdout))


def page_of(found: dict[str, Any], held: dict[int, int]) -> str:
    """The figures, as a table of the page."""
    per_request = (held[MANY] - held[FEW]) / (MANY - FEW)
    rows = [
        (
            "two workers of one thread, against one process of one thread",
            f"{found['two_times_faster']:.2f} times faster",
        ),
        ("one worker, against one process, once it has begun", f"{found['one_to_alone']:.2f} of its time"),
        ("until two workers have begun", f"{found['start_s']:.1f} s"),
        (
            "until both have loaded the model",
            f"{found['ready_s']:.1f} s (loading in a process that has its libraries: {found['loading_s']:.1f} s)",
        ),
        (
            f"memory that {MANY:,} requests take where the command runs, beside the requests",
            f"{held[MANY] / 1e6:.0f} MB",
        ),
        ("the same for each request", f"{per_request:.0f} bytes"),
    ]
    lines = [f"| {what} | {value} |" for what, value in rows]
    return "\n".join(["| measured | |", "|---|---|", *lines])


def main(
    write: Annotated[bool, typer.Option("--write", help="Write the table into docs/scaling.md.")] = False,
    held: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Measure, and print the table."""
    if held is not None:
        print(held_bytes(held))
        return
    found = measured(resolve("smollm2-135m"))
    table = page_of(found, {count: _apart(count) for count in (FEW, MANY)})
    print(table)
    if write:
        put(PAGE, "replicas", table)


if __name__ == "__main__":
    typer.run(main)
