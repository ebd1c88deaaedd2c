"""Ours against lm-evaluation-harness's `hf`: python -m benchmarks.against_lm_eval --help."""

import logging
import time
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import torch
import typer

from benchmarks.case import Builder, Case
from benchmarks.cases import BUILDERS, MEMORY
from benchmarks.measure import FIRST, compare, measure_alone, measure_overhead
from benchmarks.page import put
from benchmarks.report import Report, markdown, row
from harness import data
from harness.checkpoints import resolve
from harness.checkpoints.loading.loader import load_model
from harness.core.datasets import Row

__all__ = ["CLOCKS", "Clock", "Scale", "build", "run"]

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
OTHERS = ("memory", "cold_start", "overhead")
OVERHEAD_QUESTIONS = 200
"""Of five choices: a thousand requests."""


class Scale(StrEnum):
    """How much to measure."""

    small = "small"
    full = "full"


class Clock(StrEnum):
    """What is timed."""

    wall = "wall"
    cpu = "cpu"


CLOCKS = {Clock.wall: time.perf_counter, Clock.cpu: time.process_time}


def build(builder: Builder, scale: Scale) -> Case:
    """The case at its size for the scale; its data are fetched where they aren't yet."""
    rows: list[Sequence[Row]] = [data.fetch(name).rows for name in builder.data]
    return builder.build(builder.small if scale is Scale.small else builder.full, rows)


def run(model: str, *, names: Sequence[str], scale: Scale, rounds: int, clock: Clock = Clock.wall) -> Report:
    """Measure the cases and other figures of these names, telling each as it is done."""
    checkpoint = resolve(model)
    loaded = load_model(checkpoint, dtype="float32", device="cpu")
    results = []
    for name in names:
        if name in BUILDERS:
            results.append(
                compare(BUILDERS[name], build(BUILDERS[name], scale), loaded, rounds=rounds, clock=CLOCKS[clock])
            )
            typer.echo(row(results[-1]))
    alone = rounds if scale is Scale.full else 1
    memory = cold = None
    if "memory" in names:
        memory = measure_alone(checkpoint.path, build(BUILDERS[MEMORY], scale).requests, rounds=alone)
    if "cold_start" in names:
        cold = measure_alone(checkpoint.path, [FIRST], rounds=rounds)
    return Report(
        model=checkpoint.ref,
        scale=scale,
        rounds=rounds,
        clock=clock,
        results=results,
        memory=memory,
        cold=cold,
        overhead=measure_overhead(loaded, questions=OVERHEAD_QUESTIONS, rounds=rounds, clock=CLOCKS[clock])
        if "overhead" in names
        else None,
    )


def main(
    model: Annotated[str, typer.Option(help="As `harness eval` takes it.")] = "smollm2-135m",
    rounds: Annotated[int, typer.Option(min=1, help="Turns of each side.")] = 3,
    case: Annotated[list[str] | None, typer.Option(help=f"Of {', '.join([*BUILDERS, *OTHERS])}.")] = None,
    scale: Annotated[Scale, typer.Option(help="How many items a case has.")] = Scale.small,
    clock: Annotated[
        Clock, typer.Option(help="wall, or cpu where neighbours disturb: with OMP_NUM_THREADS=1 that is steady.")
    ] = Clock.wall,
    write: Annotated[bool, typer.Option("--write", help="Put it into docs/benchmarks.md.")] = False,
) -> None:
    """Measure, and print what was measured as Markdown."""
    known = [*BUILDERS, *OTHERS]
    names = case or known
    if unknown := [name for name in names if name not in known]:
        raise typer.BadParameter(f"no such case: {', '.join(unknown)}. Known: {', '.join(known)}")
    logging.disable(logging.WARNING)
    typer.echo(f"{torch.get_num_threads()} threads")
    text = markdown(run(model, names=names, scale=scale, rounds=rounds, clock=clock))
    typer.echo(text)
    if write:
        put(PAGE, "against lm-eval", text)


if __name__ == "__main__":
    typer.run(main)
