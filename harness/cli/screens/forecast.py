"""What an evaluation would take, as `harness eval --dry-run` prints it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.text import Text

from harness.cli.console import output, print_rows
from harness.core.text.counts import numbered
from harness.core.text.display import duration, number

if TYPE_CHECKING:
    from harness.run.outlook.forecast import Forecast, TaskForecast

__all__ = ["forecast_as_json", "print_forecast"]


def print_forecast(found: "Forecast") -> None:
    """A row a task, the whole below, and what the figures go by."""
    spec = found.plan.spec
    output.print(Text(f"{spec.model}: {spec.dtype} on {spec.device}, run {spec.run_id}", style="bold"))
    table: list[Sequence[object]] = []
    for suite in dict.fromkeys(one.suite for one in found.tasks):
        table.append([Text(suite, style="bold")])
        table.extend(_cells(one, found) for one in found.tasks if one.suite == suite)
    table.append([Text(cell, style="bold") for cell in _whole(found)])
    numbers = ("samples", "reads", "writes", "time", "energy, J")
    print_rows("", ("suite / task", *numbers), table, right=numbers)
    output.print("")
    for line in _notes(found):
        output.print(Text(line, style="dim"))
    output.print(Text("dry run: nothing was evaluated, and nothing was written to the folder of runs"))


def _cells(one: "TaskForecast", found: "Forecast") -> tuple[str, ...]:
    return (
        f"  {one.task}",
        f"{one.sample_count:,}",
        "" if one.read_token_count is None else f"{one.read_token_count:,}",
        f"{one.written_token_count:,}" if one.written_token_count else "",
        _duration(one.duration_s),
        _energy(found.energy_joules(one.duration_s)),
    )


def _whole(found: "Forecast") -> tuple[str, ...]:
    read = [one.read_token_count for one in found.tasks]
    return (
        f"in all: {numbered(len(found.tasks), 'task')}",
        f"{sum(one.sample_count for one in found.tasks):,}",
        "" if None in read else f"{sum(filter(None, read)):,}",
        f"{sum(one.written_token_count for one in found.tasks):,}",
        _duration(found.duration_s),
        _energy(found.energy_joules(found.duration_s)),
    )


def _notes(found: "Forecast") -> list[str]:
    """What the figures are made of, and what isn't in them."""
    told = [
        "reads: tokens to be computed, those that a task's requests share once; writes: the most tokens that answers "
        "may have, which often end earlier"
    ]
    if found.tried_count:
        tried = f"{numbered(found.tried_count, 'batch', 'batches')} answered in {duration(found.tried_s)}"
        told.append(f"time: an estimate from {tried} on this machine, whose answers were thrown away")
    else:
        told.append("time and energy: not estimated, since nothing was asked of the server")
    if found.power_w is not None:
        told.append(
            f"energy: an estimate from that time and {number(found.power_w)} W ({found.power_basis}) during the same "
            f"batches: {found.source}"
        )
    elif found.tried_count:
        told.append("energy: not estimated, as nothing measured it (--meter)")
    if found.load_s is not None:
        repeats = "" if found.plan.spec.meter == "none" else ", and up to half a minute of measuring energy"
        told.append(f"not included: loading ({duration(found.load_s)}){repeats}")
    if found.later_tasks:
        told.append(f"not included: what {_some(found.later_tasks)} asks in the light of the first answers")
    if found.tried_count and found.open_tasks:
        told.append(f"no estimate: {_some(found.open_tasks)}, for which the model is trained first")
    if found.plan.skipped:
        told.append(f"not defined for this checkpoint: {_some([one.planned.task.name for one in found.plan.skipped])}")
    if found.is_finished:
        told.append("this run is finished already: `harness eval` would show it at once")
    return told


def _some(names: tuple[str, ...] | list[str]) -> str:
    few = list(dict.fromkeys(names))
    more = f" and {numbered(len(few) - 4, 'other')}" if len(few) > 4 else ""
    return ", ".join(few[:4]) + more


def _duration(seconds: float | None) -> str:
    return "" if seconds is None else duration(seconds)


def _energy(joules: float | None) -> str:
    return "" if joules is None else number(joules)


def forecast_as_json(found: "Forecast") -> dict[str, Any]:
    """The same as JSON: seconds, joules and watts; null where there is no figure."""
    return {
        "run_id": found.plan.spec.run_id,
        "model": found.plan.spec.model,
        "is_finished": found.is_finished,
        "tasks": [
            {
                "suite": one.suite,
                "task": one.task,
                "samples": one.sample_count,
                "requests": one.request_count,
                "tokens_read": one.read_token_count,
                "tokens_written_at_most": one.written_token_count,
                "estimated_seconds": one.duration_s,
                "estimated_joules": found.energy_joules(one.duration_s),
            }
            for one in found.tasks
        ],
        "skipped": {f"{one.planned.suite}/{one.planned.task.name}": str(one.reason) for one in found.plan.skipped},
        "estimated_seconds": found.duration_s,
        "estimated_joules": found.energy_joules(found.duration_s),
        "without_estimate": list(found.open_tasks),
        "asking_more_later": list(found.later_tasks),
        "based_on": {
            "batches": found.tried_count,
            "seconds": found.tried_s,
            "watts": found.power_w,
            "watts_basis": found.power_basis,
            "watts_source": found.source,
        },
    }
