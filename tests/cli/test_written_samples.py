"""Samples of written answers as a person reads them: what was asked at its end, what would be right, what was read."""

import json

import pytest

from harness.record import RunRecord
from harness.run.options import EvalOptions
from harness.run.pipeline import evaluate
from tests.tiny import build_tiny_checkpoint, tiny_llama_config

WORDS = "the fox jumps over the dog, " * 60
FILE = """
name: mine
tasks:
  - name: sums
    type: written
    data: rows.jsonl
    prompt: "{text} What is {n} + 1? Answer:"
    reference: sum
    extract: [last_line]
    max_tokens: 3
"""


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> RunRecord:
    place = tmp_path_factory.mktemp("samples")
    rows = [{"text": WORDS if n == 70 else "Short.", "n": n, "sum": str(n + 1)} for n in (70, 71)]
    (place / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (place / "mine.yaml").write_text(FILE)
    options = EvalOptions(output=place / "runs", store="none", meter="none", offline=True)
    checkpoint = build_tiny_checkpoint(place / "model", config=tiny_llama_config(max_position_embeddings=2048))
    return evaluate(str(checkpoint), suite=str(place / "mine.yaml"), options=options)


def test_the_right_answer_stands_beside_what_was_read(record: RunRecord, harness_here) -> None:
    shown = harness_here("show", record.folder, "--samples").stdout
    flat = " ".join(shown.split())
    assert "characters left out]" in flat
    assert "What is 71" in flat
    whole = json.loads(harness_here("show", record.folder, "--samples", "--json").stdout)["samples"]
    assert {one["context"]: one["gold"] for one in whole} == {
        f"{WORDS} What is 70 + 1? Answer:": "71",
        "Short. What is 71 + 1? Answer:": "72",
    }


def test_no_right_answer_is_why_none_has_a_price(record: RunRecord) -> None:
    (price,) = (one for one in record.estimate_list if one.metric == "tokens_per_right_answer")
    assert (price.value, price.reason) == (None, "no answer is right, so none has a price")
