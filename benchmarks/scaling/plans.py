"""Plans to be replayed: a real one by the counts of the planner, and a well-known set of tasks by stated counts."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.scaling.simulation import Load
from harness.checkpoints.loading.loader import Loader
from harness.core.models import ModelOptions
from harness.core.requests import GenerateUntil
from harness.engine.opening import open_model
from harness.run.options import EvalOptions
from harness.run.planning import plan
from harness.run.work import phases

__all__ = ["LEADERBOARD", "Stated", "leaderboard", "planned", "read_plan", "write_plan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """A task by round numbers of its size: tokens of a prompt and of each of its choices, or tokens written."""

    samples: int
    prompt: int
    choices: int = 0
    choice: int = 0
    written: int = 0


LEADERBOARD: Mapping[str, Stated] = {
    "arc_challenge, 25 shots": Stated(samples=1172, prompt=1500, choices=4, choice=10),
    "hellaswag, 10 shots": Stated(samples=10042, prompt=1000, choices=4, choice=30),
    "mmlu, 5 shots": Stated(samples=14042, prompt=750, choices=4, choice=2),
    "truthfulqa_mc2": Stated(samples=817, prompt=250, choices=7, choice=15),
    "winogrande, 5 shots": Stated(samples=1267, prompt=170, choices=2, choice=10),
    "gsm8k, 5 shots": Stated(samples=1319, prompt=950, written=200),
}
"""The six tasks of the first Open LLM Leaderboard (Beeching et al., 2023) with all of their samples. The numbers of
tokens are round ones for a vocabulary of about 32,000, stated here and not counted."""


def planned(model: str, suite: str, batch_tokens: int | None) -> dict[str, list[Load]]:
    """The batches of each phase of a run with its first round of requests, as the planner counts their tokens.

    Tokens written are as many as each request may write. Batches are as this machine's device has them. Loads the data
    of all tasks, and the model.
    """
    made = plan(model, suite=suite, task=[], options=EvalOptions(meter="none", batch_tokens=batch_tokens))
    options = ModelOptions(dtype=made.spec.dtype, device=made.spec.device, batch_tokens=made.spec.batch_tokens)
    opened = open_model(made.checkpoint, options, loader=Loader())
    found: dict[str, list[Load]] = {}
    for phase in phases(made.work):
        batches = opened.plan(phase.requests)
        found[phase.name] = [
            Load(
                batch.computed_token_count,
                sum(one.max_tokens for one in batch.requests if isinstance(one, GenerateUntil)),
            )
            for batch in batches
        ]
    return found


def leaderboard(batch_tokens: int) -> dict[str, list[Load]]:
    """The six tasks in batches of so many tokens, each question's prompt read once for all of its choices.

    A phase is a kind of request, as in a run: one for choices, one for what is written.
    """
    found: dict[str, list[Load]] = {"loglikelihood": [], "generate_until": []}
    for task in LEADERBOARD.values():
        found["generate_until" if task.written else "loglikelihood"] += _batches(task, batch_tokens)
    return found


def _batches(task: Stated, batch_tokens: int) -> Iterator[Load]:
    tokens = task.prompt + task.choices * task.choice
    each = max(1, batch_tokens // (tokens + task.written))
    for begin in range(0, task.samples, each):
        count = min(each, task.samples - begin)
        yield Load(count * tokens, count * task.written)


def write_plan(found: Mapping[str, Sequence[Load]], path: Path) -> None:
    """Keep a plan, for planning takes minutes."""
    rows = {name: [[load.read, load.written] for load in loads] for name, loads in found.items()}
    path.write_text(json.dumps(rows), encoding="utf-8")


def read_plan(path: Path) -> dict[str, list[Load]]:
    """What `write_plan` kept. Raises `OSError` and `ValueError`."""
    rows = json.loads(path.read_text(encoding="utf-8"))
    found = {name: [Load(int(read), int(written)) for read, written in loads] for name, loads in rows.items()}
    if any(math.isnan(load.read) or load.read < 0 or load.written < 0 for loads in found.values() for load in loads):
        raise ValueError("tokens below 0")
    return found
