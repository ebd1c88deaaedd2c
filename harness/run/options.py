"""How to evaluate: the options of `harness eval`, for Python and the command line alike."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from harness.core.checkpoints import EndpointOptions
from harness.core.errors import InputError
from harness.core.options import option
from harness.core.process.isolation import STEP_TIMEOUT_S
from harness.run.replicas.options import ReplicaOptions

__all__ = ["STORE_HELP", "EvalOptions"]

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
        "Beside each task that shows exemplars by their number, train the model on these rows and ask again: lora fits "
        "a small adapter, minutes on a processor.",
    )
    corpus: Path | None = option(
        None,
        "Folder of .txt, .md or .jsonl files, packed with gzip or not, or of .parquet files, in which questions are "
        "looked for (suite contamination).",
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
        None, "Samples a task: a number or `all`. By default each task's own.", parser=_limit, metavar="NUMBER|all"
    )
    num_fewshot: int | None = option(None, "Exemplars before each question.")
    seed: int = option(0, "Chooses samples and exemplars.")
    dtype: str = option("auto", "auto (the checkpoint's own), float32, bfloat16, float16.")
    device: str = option("auto", "auto, cpu, cuda, mps, ...")
    device_map: str | None = option(
        None,
        "Spread the weights over several devices: auto, or each with its room, such as cuda:0=20GB,cpu=64GB; with "
        ",disk the rest is read from there, slowly.",
        metavar="auto|DEVICE=ROOM,...",
    )
    tensor_parallel: int = option(
        1,
        "Processes that each compute a part of every layer; torchrun starts them: torchrun --nproc-per-node N.",
        min=1,
    )
    batch_tokens: int | None = option(
        None,
        "Tokens in one forward pass: a number or `auto`. [default: auto]",
        parser=_batch_tokens,
        metavar="NUMBER|auto",
    )
    apply_chat_template: bool = option(False, "Give prompts as the user's turn of a chat.", "--apply-chat-template")
    fewshot_as_multiturn: bool | None = option(
        None,
        "In a chat, give each exemplar as turns of its own. [default: those of lm-eval's tasks alone, as lm-eval does]",
        "--fewshot-as-multiturn/--no-fewshot-as-multiturn",
    )
    system_prompt: str | None = option(
        None,
        "What the system's turn of a chat says: a text, or a file that holds it.",
        "--system-prompt",
        "--system-instruction",
        metavar="TEXT|FILE",
        parser=_text_or_file,
    )
    thinking: Literal["auto", "on", "off"] = option(
        "auto", "Whether a reasoning model thinks before it answers, by its chat template's own switch."
    )
    samples: int = option(1, "Answers drawn for each question that is answered in the model's own words.")
    temperature: float | None = option(
        None, "Of these draws; 0 is greedy. [default: 0 for one sample, 0.8 for several]"
    )
    top_p: float = option(1.0, "Draw from the likeliest tokens that reach this probability together.")
    top_k: int | None = option(None, "Draw from so many of the likeliest tokens. [default: all]")
    max_tokens: int | None = option(
        None, "Tokens that such an answer may have, thoughts among them. By default each task's own."
    )
    gen_kwargs: str | None = option(
        None,
        "How texts are written, as lm-eval takes it: repetition_penalty, no_repeat_ngram_size, min_new_tokens in place "
        "of the checkpoint's own; do_sample, temperature, top_p, top_k, max_new_tokens in place of the tasks'.",
        metavar="KEY=VALUE,...",
    )
    kind: str | None = option(
        None,
        "Read the checkpoint as this kind: causal, masked, seq2seq, classifier, tagger, encoder, vision_language, "
        "audio_language, contrastive.",
    )
    labels: tuple[str, ...] = option(
        (),
        "Names of a classifier's or tagger's labels in the order of its outputs, parted by commas.",
        parser=_labels,
        metavar="NAMES",
    )
    source_language: str | None = option(None, "Code of the language that a translation model reads (eng_Latn).")
    target_language: str | None = option(None, "Code of the language that a translation model writes (deu_Latn).")
    output: Path = option(Path("runs"), "Folder that gets one folder a run.")
    store: str | None = option(
        None,
        f"{STORE_HELP} `none` keeps none.",
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
    trust_remote_code: bool = option(False, "Run Python that comes with the checkpoint.", "--trust-remote-code")
    include_path: Path | None = option(None, "Folder with lm-evaluation-harness task YAMLs of yours.")
    task_data: tuple[str, ...] = option(
        (),
        "Where an lm-eval task may read data beside its own folder and --include-path. May be repeated.",
        metavar="FOLDER|URL",
    )
    trust_task_code: bool = option(False, "Run Python that a task YAML names.", "--trust-task-code")
    trust_metric_code: bool = option(False, "Run Python of a metric script.", "--trust-metric-code")
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
        "Most main memory that the process may take: 8GB, 500MB. [default: no bound]",
        "--max-memory",
        parser=_bytes,
        metavar="SIZE",
    )
