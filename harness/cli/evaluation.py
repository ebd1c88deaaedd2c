"""`harness eval`."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import asdict
from inspect import getdoc
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from harness.cli.compact import print_scores, print_side_by_side
from harness.cli.console import estimates_as_json, output, print_json, saving_line
from harness.cli.options import with_options
from harness.cli.process.interrupts import interruptible
from harness.cli.process.progress_bar import progress_bar, resumable
from harness.cli.screens.forecast import forecast_as_json, print_forecast
from harness.cli.screens.panels import EVALUATION
from harness.core.errors import HarnessError
from harness.core.process.heap import uncollected
from harness.run.options import EvalOptions

if TYPE_CHECKING:
    from harness.record import RunRecord

__all__ = ["eval_command"]

_DEFAULT = "smollm2-135m"

_EXAMPLES = """
[bold]Examples[/bold]

harness eval --model smollm2-135m --suite quick

harness eval --model ./my-checkpoint --suite accuracy,perplexity --limit 200

harness eval --model org/name@main --suite full --limit all --seed 1

harness eval --model model.gguf --task piqa --task boolq --num-fewshot 5

harness eval --model ./my-checkpoint --suite my-suite.yaml --json | jq '.estimates[].value'

harness eval --model ./my-checkpoint --task lm-eval:arc_easy

harness eval --model ./adapter-1 --model ./adapter-2 --base org/name --suite quick

harness eval --model out/my-run/checkpoint-500 --suite quick --lineage my-run --step 500

harness eval --model ./my-checkpoint --suite full --dry-run

harness eval --model openai:http://localhost:8000/v1#my-model --suite quick --concurrency 4
"""


@with_options(EvalOptions, panels=EVALUATION)
def eval_command(
    *,
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="A folder (of a model, or of a peft adapter), a .gguf file, a hub id (org/name or org/name@revision), "
            "a served model (openai:http://HOST/v1#NAME), or smollm2-135m. May be repeated. \\[default: smollm2-135m]"
        ),
    ] = None,
    suite: Annotated[
        list[str] | None,
        typer.Option(
            help="A suite, a preset (quick, full, ci, instruct, standard) or a YAML file; separate several by commas, "
            "or repeat it. \\[default: full]"
        ),
    ] = None,
    task: Annotated[list[str] | None, typer.Option(help="A single task, or lm-eval:NAME. May be repeated.")] = None,
    options: EvalOptions,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Evaluate nothing: print tasks, samples, tokens, estimated time and energy."),
    ] = False,
    every_row: Annotated[bool, typer.Option("--all", help="Print every score, however many there are.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
) -> None:
    """Evaluate one or more checkpoints: print their scores, and keep a record of each run.

    The same command continues a run that was interrupted, and returns at once if it has finished already.
    """
    named, chosen = model or [_DEFAULT], {"suite": suite or [], "task": task or []}
    if dry_run:
        _forecast(named, chosen, options, as_json=as_json)
        return
    records: list[RunRecord] = []
    try:
        with resumable() as progress:
            with uncollected():
                from harness.run.together import evaluate_together, is_follower

            records.extend(evaluate_together(named, options, progress, **chosen))  # as far as it comes
    except (HarnessError, typer.Exit):
        if not as_json:
            _print_all(records, options.output, named=len(named) > 1, every_row=every_row)
        raise
    if is_follower(options):
        return
    if as_json:
        found = [_as_json(record) for record in records]
        print_json(found[0] if len(found) == 1 else found)
    else:
        _print_all(records, options.output, named=len(named) > 1, every_row=every_row)
    if any(record.is_partial for record in records):
        raise typer.Exit(3)


def _print_all(records: Sequence["RunRecord"], folder: Path, *, named: bool, every_row: bool) -> None:
    """Each run once, though a checkpoint was named twice; several once more side by side."""
    records = list({record.run_id: record for record in records}.values())
    for record in records:
        _print(record, named=named, every_row=every_row)
    if len(records) > 1:
        print_side_by_side([(_name(record, records), record.estimate_list) for record in records])
        ids = " ".join(record.run_id for record in records)
        output.print(Text(f"which differences are significant: `harness compare {ids} --records {folder}`"))


def _forecast(
    models: Sequence[str], chosen: Mapping[str, Sequence[str]], options: EvalOptions, *, as_json: bool
) -> None:
    """Print what an evaluation of each would take."""
    with interruptible(), redirect_stdout(sys.stderr), progress_bar() as progress:
        with uncollected():
            from harness.run.outlook.forecast import forecast

        found = [
            forecast(model, suite=chosen["suite"], task=chosen["task"], options=options, progress=progress)
            for model in models
        ]
    if as_json:
        told = list(map(forecast_as_json, found))
        print_json(told[0] if len(told) == 1 else told)
        return
    for one in found:
        print_forecast(one)


def _as_json(record: "RunRecord") -> dict[str, Any]:
    from harness.decision.context import score_contexts

    return {
        "run_id": record.run_id,
        "model": record.spec.model,
        **asdict(record.spec.training),
        "folder": str(record.folder),
        "token_counts": dict(zip(("asked", "computed"), record.token_counts, strict=True)),
        "estimates": estimates_as_json(record.estimate_list, score_contexts(record)),
    }


def _name(record: "RunRecord", records: Sequence["RunRecord"]) -> str:
    """What tells a run from those beside it: its step, where all are of one training, else the model."""
    trainings = [one.spec.training for one in records]
    steps = {one.step for one in trainings}
    if len({one.lineage for one in trainings}) == 1 and None not in steps and len(steps) == len(records):
        return f"step {record.spec.step}"
    return record.spec.model


def _print(record: "RunRecord", *, named: bool, every_row: bool) -> None:
    from harness.decision.context import score_contexts

    if named:
        output.print(Text(record.spec.model, style="bold"), "")
    print_scores(record.estimate_list, score_contexts(record), every_row=every_row)
    if training := str(record.spec.training):
        output.print(Text(f"training: {training}"))
    for note in record.checkpoint["notes"]:
        output.print(Text(note, style="dim"))
    if any(record.token_counts):
        output.print(Text(saving_line(record.token_counts)))
    output.print(Text(f"record: {record.folder}"))


eval_command.__doc__ = f"{getdoc(eval_command)}\n{_EXAMPLES}"
