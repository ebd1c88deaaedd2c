"""What was measured, as Markdown: a part of `docs/benchmarks.md`, and what the command prints."""

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
    """The machine and the tables."""
    parts = [_machine(report)]
    if report.results:
        parts.append("\n".join([_HEAD, *map(row, report.results)]) + "\n")
    if others := _others(report):
        parts.append("\n".join(["| | lm-eval / ours | aimed at | |", "|---|---|---|---|", *others]) + "\n")
    return "\n".join(parts)


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
            f"| Overhead of a whole evaluation, {seen.requests:,} requests | | at most 10 % | {seen.share:.1%}, "
            f"of {seen.total_s:.1f} s; {seen.share_after_loading:.1%} without the SHA-256 of the weights |"
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
