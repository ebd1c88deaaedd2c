"""How to evaluate: the options of `harness eval`, for Python and the command line alike."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from harness.core.checkpoints import EndpointOptions
from harness.core.errors import InputError
from harness.core.options import checked_options, option
from harness.core.process.isolation import STEP_TIMEOUT_S
from harness.run.replicas.options import ReplicaOptions

__all__ = ["STORE_HELP", "EvalOptions", "given_options"]

STORE_HELP = (
    "Index of runs that the leaderboard reads: a SQLite file, or postgresql://USER@HOST/DATABASE. "
    "[default: HARNESS_STORE, else index.sqlite in the folder of runs]"
)


def _limit(text: str) -> int | Literal["all"]:
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


def _bytes(text: str) -> int:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)I?B?", text.strip().upper())
    if found is None or not float(found[1]):
        raise InputError("is not a size", place=f"--max-memory {text}", fix="Write it as 8GB or 500MB")
    return int(float(found[1]) * 1024 ** " KMGT".index(found[2] or " "))


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except (OSError, ValueError):  # a text too long for a name, or with a character that none can have
        return False


def _text_or_file(text: str) -> str:
    """A text, or what the file of that name holds but for the line break at its end."""
    place = f"--system-prompt {text}"
    try:
        if _is_file(text):
            text = Path(text).read_text(encoding="utf-8").removesuffix("\n")
    except (OSError, UnicodeError) as error:
        raise InputError(f"can't be read ({error})", place=place, fix="Give a text file in UTF-8") from error
    if not text.strip():
        raise InputError("is empty", place=place, fix="Leave it out, or say something in it")
    return text


def _labels(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(","))


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalOptions:
    """How to evaluate; every default serves."""

    base: str | None = option(None, "The model below an adapter, or the one that a quantised checkpoint was made from.")
    reference: str | None = option(
        None,
        "The model that this one is held against, token by token, as --model: what it was quantised, pruned, distilled "
        "or merged from.",
    )
    adapt: Literal["lora"] | None = option(
        None,
        "For each task with a curve over the number of examples, also train the model on the same rows and ask again: "
        "lora fits a small adapter, which takes minutes on a CPU.",
    )
    corpus: Path | None = option(
        None,
        "Folder of .txt, .md, .jsonl (each also .gz) or .parquet files in which to search for the questions (suite "
        "contamination).",
    )
    lineage: str | None = option(
        None,
        "Name of the training that the checkpoint comes from; the runs of one are drawn by step. [default: by the "
        "checkpoint's trainer_state.json]",
    )
    step: int | None = option(
        None,
        "Step of the training at which it was saved. [default: by the checkpoint's trainer_state.json]",
        min=0,
    )
    tags: tuple[str, ...] = option((), "What else is to be kept of it. May be repeated.", "--tag", metavar="KEY=VALUE")
    limit: int | Literal["all"] | None = option(
        None, "Samples per task: a number or `all`. [default: each task's own]", parser=_limit, metavar="NUMBER|all"
    )
    num_fewshot: int | None = option(None, "Worked examples shown before each question. [default: each task's own]")
    seed: int = option(0, "Chooses samples and exemplars.")
    dtype: str = option("auto", "auto (the checkpoint's own), float32, bfloat16, float16.")
    device: str = option("auto", "auto, cpu, cuda, mps, ...")
    device_map: str | None = option(
        None,
        "Spread the weights over several devices: auto, or how much each may hold, such as cuda:0=20GB,cpu=64GB; "
        "append ,disk to leave the rest on disk (slow).",
        metavar="auto|DEVICE=ROOM,...",
    )
    tensor_parallel: int = option(
        1,
        "Split every layer among this many processes, which torchrun starts (torchrun --nproc-per-node N).",
        min=1,
    )
    batch_tokens: int | None = option(
        None,
        "Tokens in one forward pass: a number or `auto`. [default: auto]",
        parser=_batch_tokens,
        metavar="NUMBER|auto",
    )
    apply_chat_template: bool = option(
        False, "Put each prompt into the model's chat template, as the user's turn.", "--apply-chat-template"
    )
    fewshot_as_multiturn: bool | None = option(
        None,
        "In a chat, show each worked example as turns of its own. [default: only for lm-eval's tasks, as lm-eval does]",
        "--fewshot-as-multiturn/--no-fewshot-as-multiturn",
    )
    system_prompt: str | None = option(
        None,
        "System prompt of a chat: a text, or a file that holds it.",
        "--system-prompt",
        "--system-instruction",
        metavar="TEXT|FILE",
        parser=_text_or_file,
    )
    thinking: Literal["auto", "on", "off"] = option(
        "auto", "Whether a reasoning model thinks before it answers, by its chat template's own switch."
    )
    samples: int = option(1, "Answers to sample for each question that the model answers in its own words.")
    temperature: float | None = option(
        None, "Sampling temperature; 0 is greedy. [default: 0 for one sample, 0.8 for several]"
    )
    top_p: float = option(1.0, "Sample from the likeliest tokens that together reach this probability.")
    top_k: int | None = option(None, "Sample from this many of the likeliest tokens. [default: all]")
    max_tokens: int | None = option(
        None, "Most tokens of such an answer, thinking included. [default: each task's own]"
    )
    gen_kwargs: str | None = option(
        None,
        "How texts are generated, as in lm-eval: repetition_penalty, no_repeat_ngram_size and min_new_tokens replace "
        "the checkpoint's own; do_sample, temperature, top_p, top_k and max_new_tokens replace the tasks'.",
        metavar="KEY=VALUE,...",
    )
    kind: str | None = option(
        None,
        "Read the checkpoint as this kind: causal, masked, seq2seq, classifier, tagger, encoder, vision_language, "
        "audio_language, contrastive.",
    )
    labels: tuple[str, ...] = option(
        (),
        "Names of a classifier's or tagger's labels in the order of its outputs, separated by commas.",
        parser=_labels,
        metavar="NAMES",
    )
    source_language: str | None = option(None, "Code of the language that a translation model reads (eng_Latn).")
    target_language: str | None = option(None, "Code of the language that a translation model writes (deu_Latn).")
    output: Path = option(Path("runs"), "Folder for the records, one folder per run.", "--out", "--output")
    store: str | None = option(
        None,
        f"{STORE_HELP} `none` adds the run to no index.",
    )
    region: str | None = option(None, "Country for the carbon figure, as ISO 3166 alpha-3 (DEU, CHN, USA).")
    toxicity_model: str | None = option(
        None, "Scorer of toxicity: a registered name, or a classifier as --model; #LABEL says which label is toxic."
    )
    bertscore_model: str | None = option(
        None, "Encoder that compares texts with references (BERTScore), as --model; #LAYER, else the last."
    )
    meter: str = option("codecarbon", "Energy meter; `none` measures no energy.")
    offline: bool = option(False, "Use only the cache, never the network.", "--offline")
    trust_remote_code: bool = option(False, "Run Python code that comes with the checkpoint.", "--trust-remote-code")
    include_path: Path | None = option(None, "Folder with your own lm-evaluation-harness task YAMLs.")
    task_data: tuple[str, ...] = option(
        (),
        "Where else an lm-eval task may read data, besides its own folder and --include-path. May be repeated.",
        metavar="FOLDER|URL",
    )
    trust_task_code: bool = option(False, "Run Python code that a task YAML names.", "--trust-task-code")
    trust_metric_code: bool = option(False, "Run the Python code of a metric script.", "--trust-metric-code")
    allow_code_execution: bool = option(
        False, "Run the programs that the model writes, in a sandbox.", "--allow-code-execution"
    )
    endpoint: EndpointOptions = field(default_factory=EndpointOptions)
    replicas: ReplicaOptions = field(default_factory=ReplicaOptions)
    plugin_timeout_s: float = option(
        STEP_TIMEOUT_S,
        "Seconds that a plug-in may take to make its requests, or to score them all.",
        "--plugin-timeout",
        min=0.1,
    )
    max_memory_bytes: int | None = option(
        None,
        "Most memory (RAM) that the process may use: 8GB, 500MB. [default: no limit]",
        "--max-memory",
        parser=_bytes,
        metavar="SIZE",
    )


def given_options(options: EvalOptions | None) -> EvalOptions:
    """What a caller gives, or the usual ones. Raises `InputError` for an option of another type or out of range."""
    return checked_options(options or EvalOptions(), EvalOptions)
