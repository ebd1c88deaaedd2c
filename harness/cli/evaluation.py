"""`harness eval`."""

import re
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.text import Text

from harness.cli.compact import print_scores
from harness.cli.console import (
    errors,
    estimates_as_json,
    output,
    print_json,
    progress_bar,
    saving_line,
)
from harness.cli.indexing import STORE_HELP
from harness.cli.process.interrupts import INTERRUPTED, interruptible
from harness.core.checkpoints import EndpointOptions
from harness.core.errors import InputError

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

harness eval --model openai:http://localhost:8000/v1#my-model --suite quick --concurrency 4
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


def _bytes(text: str | None) -> int | None:
    if text is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)I?B?", text.strip().upper())
    if found is None or not float(found[1]):
        raise InputError("is no size", place=f"--max-memory {text}", fix="Write it as 8GB or 500MB")
    return int(float(found[1]) * 1024 ** " KMGT".index(found[2] or " "))


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except (OSError, ValueError):  # a text too long for a name, or with a character that none can have
        return False


def _text_or_file(text: str | None) -> str | None:
    """A text, or what the file of that name holds but for the line break at its end."""
    if text is None:
        return None
    place = f"--system-prompt {text}"
    try:
        if _is_file(text):
            text = Path(text).read_text(encoding="utf-8").removesuffix("\n")
    except (OSError, UnicodeError) as error:
        raise InputError(f"can't be read ({error})", place=place, fix="Give a text file in UTF-8") from error
    if not text.strip():
        raise InputError("is empty", place=place, fix="Leave it out, or say something in it")
    return text


def _labels(text: str | None) -> tuple[str, ...]:
    return () if text is None else tuple(name.strip() for name in text.split(","))


def eval_command(
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="A folder (of a model, or of a peft adapter), a .gguf file, a hub id (org/name or org/name@revision), "
            "a served model (openai:http://HOST/v1#NAME), or smollm2-135m. May be repeated. [default: smollm2-135m]"
        ),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(help="The model below an adapter, or the one that a quantised checkpoint was made from."),
    ] = None,
    suite: Annotated[
        list[str] | None,
        typer.Option(
            help="A suite, a preset (quick, full, ci) or a YAML file; several by comma or by repeating. [default: full]"
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
    fewshot_as_multiturn: Annotated[
        bool | None,
        typer.Option(
            "--fewshot-as-multiturn/--no-fewshot-as-multiturn",
            help="In a chat, give each exemplar of an lm-eval task as turns of its own. [default: as lm-eval, yes]",
        ),
    ] = None,
    system_prompt: Annotated[
        str | None,
        typer.Option(
            "--system-prompt",
            "--system-instruction",
            metavar="TEXT|FILE",
            help="What the system's turn of a chat says: a text, or a file that holds it.",
        ),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(help="Read the checkpoint as this kind: causal, masked, seq2seq, classifier, tagger, encoder."),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(help="Names of a classifier's or tagger's labels in the order of its outputs, parted by commas."),
    ] = None,
    source_language: Annotated[
        str | None, typer.Option(help="Code of the language that a translation model reads (eng_Latn).")
    ] = None,
    target_language: Annotated[
        str | None, typer.Option(help="Code of the language that a translation model writes (deu_Latn).")
    ] = None,
    output_folder: Annotated[Path, typer.Option("--output", help="Folder that gets one folder a run.")] = Path("runs"),
    store: Annotated[str | None, typer.Option(help=f"{STORE_HELP} `none` keeps none.")] = None,
    region: Annotated[
        str | None, typer.Option(help="Country for the carbon figure, as ISO 3166 alpha-3 (DEU, CHN, USA).")
    ] = None,
    toxicity_model: Annotated[
        str | None,
        typer.Option(help="Classifier that scores toxicity, as --model; #LABEL behind it says which label is toxic."),
    ] = None,
    bertscore_model: Annotated[
        str | None,
        typer.Option(
            help="Encoder that compares texts with references (BERTScore), as --model; #LAYER, else the last."
        ),
    ] = None,
    meter: Annotated[str, typer.Option(help="Energy meter; `none` measures no energy.")] = "codecarbon",
    offline: Annotated[bool, typer.Option("--offline", help="Use the cache alone.")] = False,
    trust_remote_code: Annotated[
        bool, typer.Option("--trust-remote-code", help="Run Python that comes with the checkpoint.")
    ] = False,
    include_path: Annotated[
        Path | None, typer.Option(help="Folder with lm-evaluation-harness task YAMLs of yours.")
    ] = None,
    task_data: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FOLDER|URL",
            help="Where an lm-eval task may read data beside its own folder and --include-path. May be repeated.",
        ),
    ] = None,
    trust_task_code: Annotated[
        bool, typer.Option("--trust-task-code", help="Run Python that a task YAML names.")
    ] = False,
    trust_metric_code: Annotated[
        bool, typer.Option("--trust-metric-code", help="Run Python of a metric script.")
    ] = False,
    api_key_env: Annotated[
        str, typer.Option(help="Environment variable that holds the key of a served model.")
    ] = "OPENAI_API_KEY",
    concurrency: Annotated[int, typer.Option(min=1, max=256, help="Requests to a served model at once.")] = 8,
    request_timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds that a served model may take for one answer.")
    ] = 120.0,
    every_row: Annotated[bool, typer.Option("--all", help="Print every score, however many there are.")] = False,
    plugin_timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds that a plug-in may take to make its requests, or to score them all.")
    ] = 600.0,
    max_memory: Annotated[
        str | None, typer.Option(help="Most main memory that the process may take: 8GB, 500MB. [default: no bound]")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
) -> None:
    """Evaluate a checkpoint: print its scores and leave a record in the output folder; or several, one after another.

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
        "fewshot_as_multiturn": fewshot_as_multiturn,
        "system_prompt": _text_or_file(system_prompt),
        "kind": kind,
        "labels": _labels(labels),
        "source_language": source_language,
        "target_language": target_language,
        "output": output_folder,
        "store": store,
        "region": region,
        "toxicity_model": toxicity_model,
        "bertscore_model": bertscore_model,
        "meter": meter,
        "offline": offline,
        "trust_remote_code": trust_remote_code,
        "include_path": include_path,
        "task_data": tuple(task_data or ()),
        "trust_task_code": trust_task_code,
        "trust_metric_code": trust_metric_code,
        "base": base,
        "endpoint": EndpointOptions(api_key_env=api_key_env, concurrency=concurrency, timeout_s=request_timeout),
        "plugin_timeout_s": plugin_timeout,
        "max_memory_bytes": _bytes(max_memory),
    }
    records: list[RunRecord] = []
    try:
        # Code that the user trusts may print, and standard output is for the results.
        with interruptible(), redirect_stdout(sys.stderr), progress_bar() as progress:
            progress.phase("starting")
            from harness.run.pipeline import EvalOptions, evaluate_each

            records += evaluate_each(
                model or [_DEFAULT],
                suite=suite or [],
                task=task or [],
                options=EvalOptions(**settings),
                progress=progress,
            )
    except KeyboardInterrupt as interrupt:
        errors.print(Text(INTERRUPTED))
        raise typer.Exit(3) from interrupt
    if as_json:
        found = [_as_json(record) for record in records]
        print_json(found[0] if len(found) == 1 else found)
    else:
        for record in records:
            _print(record, named=len(records) > 1, every_row=every_row)
    if any(record.is_partial for record in records):
        raise typer.Exit(3)


def _as_json(record: "RunRecord") -> dict[str, Any]:
    return {
        "run_id": record.run_id,
        "model": record.spec.model,
        "folder": str(record.folder),
        "token_counts": dict(zip(("asked", "computed"), record.token_counts, strict=True)),
        "estimates": estimates_as_json(record.estimate_list),
    }


def _print(record: "RunRecord", *, named: bool, every_row: bool) -> None:
    if named:
        output.print(Text(record.spec.model, style="bold"), "")
    print_scores(record.estimate_list, every_row=every_row)
    for note in record.checkpoint["notes"]:
        output.print(Text(note, style="dim"))
    if any(record.token_counts):
        output.print(Text(saving_line(record.token_counts)))
    output.print(Text(f"record: {record.folder}"))


eval_command.__doc__ = f"{eval_command.__doc__}\n{_EXAMPLES}"
