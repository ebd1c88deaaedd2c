"""Prints efficiency, time and cost of a plan on 1 to 4,096 simulated workers: python -m benchmarks.scaling --help."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.scaling.plans import leaderboard, planned, read_plan, write_plan
from benchmarks.scaling.simulation import Load, Machine, Outcome, simulate

WORKERS = "1,2,3,4,8,16,32,64,128,256,512,1024,2048,4096"
_DEFAULT = Machine(reading=31_000, writing=2_300)
"""A Llama of 8 billion parameters on one H200, as docs/benchmarks-gpu.md has it: 96,000 tokens of texts read in 3.09 s,
16,384 tokens written in 7.13 s."""


def main(
    plan: Annotated[str, typer.Option(help="A suite, `leaderboard` (stated counts), or a file of --save.")] = "full",
    model: Annotated[str, typer.Option(help="Whose tokens a suite is planned by.")] = "smollm2-135m",
    workers: Annotated[str, typer.Option(help="How many, parted by commas.")] = WORKERS,
    reading: Annotated[float, typer.Option(help="Tokens a second that a worker reads.")] = _DEFAULT.reading,
    writing: Annotated[float, typer.Option(help="Tokens a second that it writes, in batches.")] = _DEFAULT.writing,
    batch_tokens: Annotated[int, typer.Option(help="Tokens of a batch.")] = 65536,
    batch_s: Annotated[float, typer.Option(help="Seconds that each batch takes beside its tokens.")] = _DEFAULT.batch_s,
    start_s: Annotated[float, typer.Option(help="Seconds until a worker has loaded the model.")] = _DEFAULT.start_s,
    jitter: Annotated[float, typer.Option(help="Deviation of the logarithm of batch times.")] = _DEFAULT.jitter,
    stragglers: Annotated[float, typer.Option(help="Share of slow workers.")] = _DEFAULT.stragglers,
    straggling: Annotated[float, typer.Option(help="Times as long as others they take.")] = _DEFAULT.straggling,
    hours_to_failure: Annotated[float, typer.Option(help="Of one worker, on average.")] = _DEFAULT.hours_to_failure,
    driver_s: Annotated[float, typer.Option(help="Seconds that the driver takes a batch.")] = _DEFAULT.driver_s,
    busy_watts: Annotated[float, typer.Option(help="Power of a worker that computes.")] = _DEFAULT.busy_watts,
    idle_watts: Annotated[float, typer.Option(help="Power of one that waits.")] = _DEFAULT.idle_watts,
    usd_per_hour: Annotated[float, typer.Option(help="Price of a worker.")] = _DEFAULT.usd_per_hour,
    seed: Annotated[int, typer.Option(help="Decides who is slow and who fails.")] = 0,
    save: Annotated[Path | None, typer.Option(help="Keep the plan in this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Replay a plan on workers of stated speeds."""
    machine = Machine(
        reading=reading, writing=writing, batch_s=batch_s, start_s=start_s, jitter=jitter, stragglers=stragglers,
        straggling=straggling, hours_to_failure=hours_to_failure, driver_s=driver_s, busy_watts=busy_watts,
        idle_watts=idle_watts, usd_per_hour=usd_per_hour,
    )  # fmt: skip
    found = _found(plan, model, batch_tokens)
    if save is not None:
        write_plan(found, save)
    loads = list(found.values())
    outcomes = [simulate(loads, machine, int(count), seed) for count in workers.split(",")]
    if as_json:
        print(json.dumps([asdict(one) for one in outcomes], indent=1))
        return
    print(_told(found))
    print(table(outcomes))


def _found(plan: str, model: str, batch_tokens: int) -> dict[str, list[Load]]:
    if plan == "leaderboard":
        return leaderboard(batch_tokens)
    return read_plan(Path(plan)) if Path(plan).is_file() else planned(model, plan, batch_tokens)


def _told(found: dict[str, list[Load]]) -> str:
    every = [load for loads in found.values() for load in loads]
    read, written = sum(load.read for load in every), sum(load.written for load in every)
    return f"{len(found)} phases, {len(every):,} batches, {read:,} tokens read, {written:,} written\n"


def table(outcomes: list[Outcome]) -> str:
    """The outcomes as a table in Markdown."""
    rows = [
        "| workers | time, s | efficiency | without start-up | times as fast | deaths | USD | MJ |",
        "|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    rows += [
        f"| {one.workers:,} | {one.seconds:,.0f} | {one.efficiency:.1%} | {one.steady:.1%} | {one.speedup:,.1f} "
        f"| {one.deaths} | {one.usd:,.2f} | {one.joules / 1e6:,.2f} |"
        for one in outcomes
    ]
    return "\n".join(rows)


if __name__ == "__main__":
    typer.run(main)
