"""`harness eval`."""

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.text import Text

from harness.cli.console import (
    errors,
    estimates_as_json,
    output,
    print_estimates,
    print_json,
    progress_bar,
    saving_line,
)
from harness.core.errors import InputError

__all__ = ["eval_command"]

_EXAMPLES = """
[bold]Examples[/bold]

harness eval --model smollm2-135m --suite quick

harness eval --model ./my-checkpoint --suite accuracy,perplexity --limit 200

harness eval --model org/name@main --suite full --limit all --seed 1

harness eval --model model.gguf --task piqa --task boolq --num-fewshot 5

harness eval --model ./my-checkpoint --suite my-suite.yaml --json | jq '.estimates[].value'

harness eval --model ./my-checkpoint --task lm-eval:arc_easy
"""


def _limit(text: str | None) -> int | Literal["all"] | None:
    if text is None:
        return None
    if text == "all":
        return "all"
    try:
        return int(text)
    except ValueError as error:
        raise InputError("is neither a number nor `all`", place=f"--limit {text}") from error


def _batch_tokens(text: str) -> int | None:
    if text == "auto":
        return None
    try:
        return int(text)
    except ValueError as error:
        raise InputError("is neither a number nor `auto`", place=f"--batch-tokens {text}") from error


def eval_command(
    model: Annotated[
        str, typer.Option(help="A folder, a .gguf file, a hub id (org/name or org/name@revision), or smollm2-135m.")
    ] = "smollm2-135m",
    suite: Annotated[
        list[str] | None,
        typer.Option(
            help="A suite, a preset (quick, full) or a YAML file; several by comma or by repeating. [default: full]"
        ),
    ] = None,
    task: Annotated[list[str] | None, typer.Option(help="A single task, or lm-eval:NAME. May be repeated.")] = None,
    limit: Annotated[
        str | None, typer.Option(help="Samples a task: a number or `all`. By default each task's own.")
    ] = None,
    num_fewshot: Annotated[int | None, typer.Option(help="Exemplars before each question.")] = None,
    seed: Annotated[int, typer.Option(help="Chooses samples and exemplars.")] = 0,
    dtype: Annotated[str, typer.Option(help="auto (the checkpoint's own), float32, bfloat16, float16.")] = "auto",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, mps, ...")] = "auto",
    batch_tokens: Annotated[str, typer.Option(help="Tokens in one forward pass: a number or `auto`.")] = "auto",
    apply_chat_template: Annotated[
        bool, typer.Option("--apply-chat-template", help="Give prompts as the user's turn of a chat.")
    ] = False,
    output_folder: Annotated[Path, typer.Option("--output", help="Folder that gets one folder a run.")] = Path("runs"),
    region: Annotated[
        str | None, typer.Option(help="Country for the carbon figure, as ISO 3166 alpha-3 (DEU, CHN, USA).")
    ] = None,
    meter: Annotated[str, typer.Option(help="Energy meter; `none` measures no energy.")] = "codecarbon",
    offline: Annotated[bool, typer.Option("--offline", help="Use the cache alone.")] = False,
    trust_remote_code: Annotated[
        bool, typer.Option("--trust-remote-code", help="Run Python that comes with the checkpoint.")
    ] = False,
    include_path: Annotated[
        Path | None, typer.Option(help="Folder with lm-evaluation-harness task YAMLs of yours.")
    ] = None,
    trust_task_code: Annotated[
        bool, typer.Option("--trust-task-code", help="Run Python that a task YAML names.")
    ] = False,
    trust_metric_code: Annotated[
        bool, typer.Option("--trust-metric-code", help="Run Python of a metric script.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
) -> None:
    """Evaluate a checkpoint: print its scores and leave a record in the output folder.

    The same command goes on where an interrupted one stopped, and returns at once where one has finished.
    """
    settings: dict[str, Any] = {
        "limit": _limit(limit),
        "num_fewshot": num_fewshot,
        "seed": seed,
        "dtype": dtype,
        "device": device,
        "batch_tokens": _batch_tokens(batch_tokens),
        "apply_chat_template": apply_chat_template,
        "output": output_folder,
        "region": region,
        "meter": meter,
        "offline": offline,
        "trust_remote_code": trust_remote_code,
        "include_path": include_path,
        "trust_task_code": trust_task_code,
        "trust_metric_code": trust_metric_code,
    }
    try:
        # Code that the user trusts may print, and standard output is for the results.
        with redirect_stdout(sys.stderr), progress_bar() as progress:
            progress.phase("starting")
            from harness.pipeline import EvalOptions, evaluate

            record = evaluate(
                model, suite=suite or [], task=task or [], options=EvalOptions(**settings), progress=progress
            )
    except KeyboardInterrupt as interrupt:
        errors.print(Text("interrupted: nothing already computed is lost; the same command goes on from here"))
        raise typer.Exit(3) from interrupt
    estimates = record.estimate_list
    if as_json:
        print_json(
            {
                "run_id": record.run_id,
                "folder": str(record.folder),
                "token_counts": dict(zip(("asked", "computed"), record.token_counts, strict=True)),
                "estimates": estimates_as_json(estimates),
            }
        )
    else:
        print_estimates(estimates)
        for note in record.checkpoint["notes"]:
            output.print(Text(note, style="dim"))
        output.print(Text(saving_line(record.token_counts)))
        output.print(Text(f"record: {record.folder}"))
    if record.is_partial:
        raise typer.Exit(3)


eval_command.__doc__ = f"{eval_command.__doc__}\n{_EXAMPLES}"
