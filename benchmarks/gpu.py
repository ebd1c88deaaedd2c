"""Ours against lm-evaluation-harness's `hf` on an accelerator, with random weights: python -m benchmarks.gpu --help.

It needs no hub and no trained weights: how long a model reads doesn't depend on what its weights say.
"""

import gc
import logging
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median
from typing import Annotated, Any

import pynvml
import torch
import typer
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedTokenizerFast

from benchmarks.case import Answers, distinct
from benchmarks.measure import difference
from benchmarks.sides import LmEval, Ours, Side
from harness.checkpoints import resolve
from harness.checkpoints.loading.load import LoadedCheckpoint
from harness.core.requests import GenerateUntil, Loglikelihood, LoglikelihoodRolling, Request
from harness.engine.devices import describe_device, resolve_device, settle_kernels
from tests.tiny import build_tiny_checkpoint

__all__ = ["CASES", "SHAPES", "Outcome", "Size", "build_loaded", "compare", "markdown"]

WINDOW = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is asked."""

    questions: int
    families: int
    documents: int
    prompts: int
    context_words: int
    document_words: int
    max_tokens: int


WHOLE = Size(
    questions=256, families=64, documents=64, prompts=64, context_words=500, document_words=1500, max_tokens=256
)
DRY = Size(questions=4, families=2, documents=2, prompts=2, context_words=40, document_words=60, max_tokens=4)

SHAPES: dict[str, dict[str, Any]] = {
    "dry": {
        "vocab_size": 1000,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
    },
    "1b": {
        "vocab_size": 128256,
        "hidden_size": 2048,
        "intermediate_size": 8192,
        "num_hidden_layers": 16,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
    },
    "8b": {
        "vocab_size": 128256,
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
    },
}
"""Llamas: those of 1 and 8 billion parameters as published, and one for a trial without an accelerator."""


def build_loaded(shape: str, device: str, folder: Path) -> LoadedCheckpoint:
    """A Llama of that shape with random weights, and a tokenizer whose tokens are words.

    In bfloat16; in float32 on a processor.
    """
    config = LlamaConfig(**SHAPES[shape], max_position_embeddings=WINDOW, bos_token_id=1, eos_token_id=2)
    torch.manual_seed(0)
    with torch.device(device):
        model = AutoModelForCausalLM.from_config(config, dtype=torch.float32 if device == "cpu" else torch.bfloat16)
    # The settings of writing are a checkpoint's, so there must be one.
    checkpoint = resolve(str(build_tiny_checkpoint(folder)))
    return LoadedCheckpoint(
        checkpoint=checkpoint, model=model.eval(), tokenizer=_tokenizer(config.vocab_size), max_length=WINDOW
    )


def _tokenizer(words: int) -> PreTrainedTokenizerFast:
    vocabulary = {"<unk>": 0, "<s>": 1, "</s>": 2, **{f"w{index}": index for index in range(3, words)}}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>", eos_token="</s>")


def _words(seed: str, count: int) -> str:
    rng = Random(seed)
    return " ".join(f"w{rng.randrange(3, 900)}" for _ in range(count))


def choices(size: Size) -> Sequence[Request]:
    """Questions of some hundred tokens with four choices of eight."""
    return [
        Loglikelihood(
            context=_words(f"q{index}", size.context_words), continuation=f" {_words(f'{index}/{choice}', 8)}"
        )
        for index in range(size.questions)
        for choice in range(4)
    ]


def robustness(size: Size) -> Sequence[Request]:
    """Questions clean and in five variants behind the same exemplars, with four choices."""
    shown = _words("exemplars", size.context_words)
    asked = [
        (f"{shown} {_words(f'r{index}', 20)} {_words(f'r{index}/{variant}', 20)}", index)
        for index in range(size.families)
        for variant in range(6)
    ]
    return [
        Loglikelihood(context=context, continuation=f" {_words(f'{index}/{choice}', 4)}")
        for context, index in asked
        for choice in range(4)
    ]


def rolling(size: Size) -> Sequence[Request]:
    """Whole texts, each token predicted once."""
    return [LoglikelihoodRolling(text=_words(f"d{index}", size.document_words)) for index in range(size.documents)]


def writing(size: Size) -> Sequence[Request]:
    """Greedy continuations behind one instruction."""
    shown = _words("instruction", 50)
    return [
        GenerateUntil(context=f"{shown} {_words(f'p{index}', 50)}", max_tokens=size.max_tokens)
        for index in range(size.prompts)
    ]


def passages(size: Size) -> Sequence[Request]:
    """Long texts with many questions about each, each with four choices: rows that are long, and branch."""
    return [
        Loglikelihood(
            context=f"{_words(f't{index}', 4 * size.context_words)} {_words(f't{index}/{question}', 12)}",
            continuation=f" {_words(f't{index}/{question}/{choice}', 4)}",
        )
        for index in range(max(size.documents // 8, 1))
        for question in range(max(size.documents // 4, 1))
        for choice in range(4)
    ]


def draws(size: Size) -> Sequence[Request]:
    """Eight texts after each prompt, the first of them greedy, up to a word that comes once in a hundred words."""
    return [
        GenerateUntil(
            context=_words(f"p{index}", 100),
            max_tokens=size.max_tokens,
            until=("w77",),
            temperature=1.0 if draw else 0.0,
            seed=draw,
        )
        for index in range(size.prompts)
        for draw in range(8)
    ]


def needles(size: Size) -> Sequence[Request]:
    """Ten questions about each of several long texts."""
    return [
        GenerateUntil(
            context=f"{_words(f'h{index}', 4 * size.context_words)} {_words(f'{index}/{question}', 20)}",
            max_tokens=min(16, size.max_tokens),
        )
        for index in range(size.documents // 2)
        for question in range(10)
    ]


CASES: dict[str, tuple[str, Callable[[Size], Sequence[Request]], int]] = {
    "choices": ("Long contexts, 4 choices of 8 tokens", choices, 32),
    "robustness": ("Robustness family, 6 variants, 4 choices", robustness, 32),
    "passages": ("Many questions about texts of 2,000 tokens, 4 choices", passages, 16),
    "rolling": ("Rolling", rolling, 8),
    "writing": ("Greedy writing", writing, 64),
    "draws": ("Eight texts a prompt, of 1 to 256 tokens", draws, 64),
    "needles": ("Ten questions about each text of 2,000 tokens", needles, 16),
}
"""Title, requests, and lm-eval's batch size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One case of one shape: medians of seconds and joules of the card, and the largest difference in nats.

    `difference` is the share of greedy texts that differ where the model writes. Joules are None without a counter.
    `plain_reason` says why nothing was shared, None where it was.
    """

    shape: str
    case: str
    requests: int
    ours_s: float
    lm_eval_s: float
    ours_joules: float | None
    lm_eval_joules: float | None
    peak_bytes: int
    difference: float
    plain_reason: str | None


def compare(shape: str, case: str, size: Size, loaded: LoadedCheckpoint, device: str, rounds: int) -> Outcome:
    """Both sides in turn, after a warm-up with the first requests."""
    _, build, batch_size = CASES[case]
    requests = distinct(build(size))
    theirs = LmEval(loaded, batch_size=batch_size)
    first = Ours(loaded, device)
    for side in (first, theirs):
        side.answer(requests[:8])
    seen: dict[str, list[tuple[float, float | None]]] = {"ours": [], "lm-eval": []}
    peak = 0
    for _ in range(rounds):
        _reset(device)
        duration, joules, ours = _timed(Ours(loaded, device), requests, device)
        seen["ours"].append((duration, joules))
        peak = max(peak, torch.cuda.max_memory_allocated() if device != "cpu" else 0)
        _reset(device)
        duration, joules, other = _timed(theirs, requests, device)
        seen["lm-eval"].append((duration, joules))
    return Outcome(
        shape=shape,
        case=case,
        requests=len(requests),
        ours_s=median(run[0] for run in seen["ours"]),
        lm_eval_s=median(run[0] for run in seen["lm-eval"]),
        ours_joules=_median_joules(seen["ours"]),
        lm_eval_joules=_median_joules(seen["lm-eval"]),
        peak_bytes=peak,
        difference=difference(requests, ours, other),
        plain_reason=first.model.plain_reason,
    )


def _reset(device: str) -> None:
    gc.collect()
    if device != "cpu":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def _timed(side: Side, requests: Sequence[Request], device: str) -> tuple[float, float | None, Answers]:
    before, start = _counter_joules(device), time.perf_counter()
    answers = side.answer(requests)
    if device != "cpu":
        torch.cuda.synchronize()
    duration, after = time.perf_counter() - start, _counter_joules(device)
    return duration, None if before is None or after is None else after - before, answers


def _counter_joules(device: str) -> float | None:
    """What the first card's counter says; None without one."""
    if device == "cpu":
        return None
    pynvml.nvmlInit()
    return float(pynvml.nvmlDeviceGetTotalEnergyConsumption(pynvml.nvmlDeviceGetHandleByIndex(0))) / 1000


def _median_joules(runs: Sequence[tuple[float, float | None]]) -> float | None:
    known = [joules for _, joules in runs if joules is not None]
    return median(known) if known else None


def markdown(device: str, outcomes: Sequence[Outcome], rounds: int) -> str:
    """The table."""
    name = describe_device(device)["device_name"] or "a processor"
    lines = [
        f"{name}, torch {torch.__version__}, median of {rounds} rounds in turn.",
        "",
        "| model | case | requests | ours, s | lm-eval, s | times as fast | J per 1,000 requests, ours | lm-eval |"
        " peak memory, GB | largest difference | read plainly because |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---|",
    ]
    lines += [_line(outcome) for outcome in outcomes]
    return "\n".join(lines) + "\n"


def _line(one: Outcome) -> str:
    joules = [
        "no counter" if value is None else f"{value / one.requests * 1000:,.0f}"
        for value in (one.ours_joules, one.lm_eval_joules)
    ]
    writes = one.case in ("writing", "draws", "needles")
    differing = f"{one.difference:.0%} of texts" if writes else f"{one.difference:.2g} nats"
    cells = [
        one.shape.upper(),
        CASES[one.case][0],
        f"{one.requests:,}",
        f"{one.ours_s:.2f}",
        f"{one.lm_eval_s:.2f}",
        f"{one.lm_eval_s / one.ours_s:.2f}",
        *joules,
        f"{one.peak_bytes / 1e9:.1f}",
        differing,
        one.plain_reason or "",
    ]
    return f"| {' | '.join(cells)} |"


def main(
    shape: Annotated[list[str] | None, typer.Option(help=f"Of {', '.join(SHAPES)}.")] = None,
    case: Annotated[list[str] | None, typer.Option(help=f"Of {', '.join(CASES)}.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Turns of each side.")] = 2,
    dry: Annotated[bool, typer.Option("--dry", help="A tiny model on the processor: whether everything runs.")] = False,
) -> None:
    """Measure, and print what was measured as Markdown."""
    logging.disable(logging.WARNING)
    device = "cpu" if dry else resolve_device("auto")
    # For both sides, so that the other one isn't held back by what a setting mends.
    settle_kernels(device)
    outcomes = []
    for name in ["dry"] if dry else shape or ["1b", "8b"]:
        with tempfile.TemporaryDirectory() as folder:
            loaded = build_loaded(name, device, Path(folder))
            for one in case or CASES:
                outcomes.append(compare(name, one, DRY if dry else WHOLE, loaded, device, rounds))
                typer.echo(_line(outcomes[-1]))
            del loaded
        _reset(device)
    typer.echo(markdown(device, outcomes, rounds))


if __name__ == "__main__":
    typer.run(main)
