"""Questions about a tiny checkpoint, and policies on them."""

import json
from pathlib import Path

from harness.decision.policy import Policy, read_policy
from harness.run.options import EvalOptions
from harness.run.sequential.deciding import Decided, decide
from tests.tiny import build_tiny_checkpoint

ROWS = 300
SUITE = """
name: quiz
tasks:
  - name: letters
    type: multiple_choice
    data: rows.jsonl
    prompt: "{question}"
    choices: options
    gold: answer
"""
KEEPS_UP = "kind: non_inferior, task: letters, metric: acc, margin: 0.1"
HIGH = "kind: floor, task: letters, metric: acc, bound: 0.9"
NEAR = "kind: floor, task: letters, metric: acc, bound: 0.56"


def made(folder: Path) -> Path:
    """The folder, with a checkpoint, questions and a suite file."""
    build_tiny_checkpoint(folder / "model")
    rows = [
        {"question": f"Is {number} a b?", "options": ["yes", "no"], "answer": (number * 7 + number // 3) % 2}
        for number in range(ROWS)
    ]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "quiz.yaml").write_text(SUITE)
    return folder


def options(place: Path, folder: str = "runs") -> EvalOptions:
    return EvalOptions(output=place / folder, meter="none", store="none")


def policy(folder: Path, *rules: str) -> Policy:
    path = folder / "policy.yaml"
    path.write_text("format: 1\nname: quiz\nrules:\n" + "".join(f"  - {{suite: quiz, {rule}}}\n" for rule in rules))
    return read_policy(str(path))


def decided(place: Path, rules: Policy, folder: Path, **given) -> Decided:
    return decide(
        str(place / "model"), rules, suite=str(place / "quiz.yaml"), options=options(place, str(folder)), **given
    )
