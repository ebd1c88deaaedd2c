"""What was measured, as Markdown: `docs/benchmarks.md` is this, and so is what the command prints."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil
import torch

from benchmarks.measure import Alone, Overhead, Result

__all__ = ["Report", "markdown", "row"]

_COLUMNS = (
    "case",
    "items",
    "lm-eval / ours",
    "aimed at",
    "hf batch",
    "tokens asked",
    "lm-eval read",
    "ours read",
    "difference",
    "score ours",
    "score lm-eval",
    "over the floor",
    "outside forward",
)
_HEAD = f"| {' | '.join(_COLUMNS)} |\n|{'---|' * len(_COLUMNS)}"

_INTRODUCTION = """\
# Benchmarks

Ours against lm-evaluation-harness's `hf`, on the same requests, with the same torch model in the same process, so with
the same weights, dtype and threads. `make bench` measures again and writes this page (minutes for `--scale small`, up
to 40 for `--scale full`):

    python -m benchmarks.against_lm_eval --scale small --write

Times are ratios, because seconds of one machine say nothing of another, and little of the same one an hour later.
"""

_READING = """\
## How to read it

- **lm-eval / ours** is lm-eval's median time over ours, with the lowest and highest ratio of a single round.
  Both sides take turns, and whoever comes first changes from round to round. Tokenizing and planning count, loading
  the model doesn't. lm-eval runs at a batch size of 4, the fastest of 1, 4, 16 and 64 for it on two cores, with
  its cache of logits on, as it is by default. Exemplars are drawn anew for each question, as lm-eval does it by
  default, where the case doesn't say that they are fixed; fixed ones, as in the suites of this package, are read once.
- **tokens asked** are those that reading each request by itself takes. **lm-eval read** is what its forward passes
  saw, padding included, and without the choices of a single token that it reads together (its cache of logits);
  **ours read** is what our engine's tree holds. For generation these are the prompts; lm-eval's figure counts the
  written tokens, too.
- **difference** is the largest between the two sides' log-likelihoods of a request, in nats; for generation
  the share of texts that are not equal letter by letter (greedy decoding turns where two tokens are equally likely, and
  padding alone is enough for that).
- **score** is accuracy for the choices; for the others a figure that both must agree on (nats a word, nats between the
  two sentences of a pair, words a text).
- **over the floor** is our time over that of bare arithmetic: two operations for each parameter of the body and token
  read, and for each weight of the output head and position where a score needs it, at the rate of one matrix product
  of the model's shape that was measured just before and after. Attention, norms and activations come on top, so 1.0
  can't be reached. Not given for generation, which waits for memory and not for arithmetic.
- Processor time on one thread (`OMP_NUM_THREADS=1 ... --clock cpu`) stays steady where neighbours disturb the wall
  clock. Memory-bound work, such as lm-eval's softmax over the vocabulary at every position, weighs less in it than on
  more cores, so its ratios are the modest ones.
- **outside forward** is the share of our time in which the model computes nothing: tokenizing, planning, masks, the
  normalisation of logits.
- **Peak memory** is the most that a process which loads the model and answers the case held at once; torch and the
  weights are in it on both sides.
- **Cold start** is the time from the start of a process to its first answer.
- **Overhead** is what isn't a forward pass in a whole evaluation: fingerprinting the checkpoint, reading the
  data, making requests, planning, journal, scores, the sealed record. Loading the weights is left out.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that was measured in one go; None for what wasn't asked for."""

    model: str
    scale: str
    rounds: int
    clock: str
    results: Sequence[Result]
    memory: tuple[Alone, Alone] | None
    cold: tuple[Alone, Alone] | None
    overhead: Overhead | None


def row(result: Result) -> str:
    """A line of the table."""
    low, high = result.spread
    wanted = result.builder.wanted
    cells = (
        result.builder.title,
        f"{len(result.case.requests):,} requests",
        f"**{result.ratio:.2f}** ({low:.2f} to {high:.2f})",
        f"{wanted:g}" if wanted else "",
        f"{result.builder.hf_batch_size}",
        f"{result.asked:,}",
        f"{result.lm_eval_read:,}",
        f"{result.computed:,}",
        f"{result.difference:.0%} of texts" if result.writes else f"{result.difference:.1e}",
        f"{result.ours_score:.4g}",
        f"{result.lm_eval_score:.4g} {result.case.metric}",
        "" if result.writes else f"{result.over_floor:.2f}",
        f"{result.outside:.1%}",
    )
    return f"| {' | '.join(cells)} |"


def markdown(report: Report) -> str:
    """The page."""
    parts = [_INTRODUCTION, _machine(report)]
    if report.results:
        parts.append("\n".join([_HEAD, *map(row, report.results)]) + "\n")
    if others := _others(report):
        parts.append("\n".join(["| | lm-eval / ours | aimed at | |", "|---|---|---|---|", *others]) + "\n")
    return "\n".join([*parts, _READING])


def _others(report: Report) -> list[str]:
    lines = []
    if report.memory:
        ours, theirs = report.memory
        share = ours.peak_bytes / theirs.peak_bytes
        lines.append(
            f"| Peak memory, CommonsenseQA, 5-shot | {1 / share:.2f} | ours at most 0.7 of lm-eval's "
            f"| ours {ours.peak_bytes / 1e9:.2f} GB, lm-eval {theirs.peak_bytes / 1e9:.2f} GB: {share:.2f} of it |"
        )
    if report.cold:
        ours, theirs = report.cold
        lines.append(f"| Cold start, one question | {theirs.seconds / ours.seconds:.2f} | | |")
    if report.overhead:
        seen = report.overhead
        lines.append(
            f"| Overhead of a whole evaluation, {seen.requests:,} requests | | at most 10 % | {seen.share:.1%} |"
        )
    return lines


def _machine(report: Report) -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "lm_eval"))
    return (
        f"{datetime.now(UTC):%d %B %Y}, {report.model} in float32, `--scale {report.scale}`, {report.rounds} rounds, "
        f"{'seconds of the wall clock' if report.clock == 'wall' else 'seconds of processor time'}. "
        f"{_processor()}, {os.cpu_count()} logical CPUs, {torch.get_num_threads()} threads, "
        f"{psutil.virtual_memory().total / 1e9:.0f} GB of memory, {platform.system()}, "
        f"Python {platform.python_version()}, {packages}.\n"
    )


def _processor() -> str:
    listed = Path("/proc/cpuinfo")
    lines = listed.read_text().splitlines() if listed.is_file() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
