"""Curves of real transformers whose weights say what they do with exemplars, against a plain reading of the prompts."""

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from harness.record import RunRecord
from harness.run.options import EvalOptions
from harness.run.pipeline import evaluate
from suites.adaptation.curve import ALL_SHOTS
from tests.suites.adaptation.induction import build_copier

ANSWERS = ("un", "deux", "trois")
THINGS = [f"{first}{last}" for first in "bdfgklm" for last in ("ak", "im", "ol")]
ROWS = [{"thing": THINGS[at % len(THINGS)], "name": ANSWERS[at % len(THINGS) % 3]} for at in range(210)]
SUITE = """
name: copying
tasks:
  - name: named
    type: multiple_choice
    data: rows.jsonl
    prompt: "the {thing}"
    choices: [un, deux, trois]
    gold: name
  - fewshot_curve:named
"""


def evaluated(folder: Path, *, copies: bool, **options: Any) -> RunRecord:
    build_copier(folder / "copier", ["the", *THINGS, *ANSWERS], copies=copies)
    (folder / "rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in ROWS), encoding="utf-8")
    (folder / "copying.yaml").write_text(SUITE, encoding="utf-8")
    chosen = EvalOptions(limit=48, output=folder / "runs", meter="none", offline=True, **options)
    return evaluate(str(folder / "copier"), suite=str(folder / "copying.yaml"), options=chosen)


@pytest.fixture(scope="module")
def copier(tmp_path_factory: pytest.TempPathFactory) -> RunRecord:
    return evaluated(tmp_path_factory.mktemp("copier"), copies=True)


def said(context: str) -> str:
    """What stands most often behind the last word of the text, where it stood before; the first answer if that ties."""
    words = context.split()
    counts = Counter(then for word, then in pairwise(words) if word == words[-1])
    return max(ANSWERS, key=lambda answer: counts[answer])


def value(record: RunRecord, metric: str, shots: int | None = None) -> float:
    (found,) = [
        one
        for one in record.estimate_list
        if (one.task, one.metric) == ("fewshot_curve:named", metric)
        and (str(one.group) if one.group else None) == (None if shots is None else f"shots={shots:02}")
    ]
    assert found.value is not None
    return found.value


def expected(record: RunRecord, way: str) -> float:
    """The share of right answers where each prompt is answered as `said` has it; `way` is how the variant begins."""
    rows = record.samples[record.samples["task"] == "fewshot_curve:named"]
    asked = rows[[bool(way) == bool(one) and one.startswith(way) for one in rows["variant"].fillna("")]]
    gold = {row["thing"]: row["name"] for row in ROWS}
    contexts = asked.drop_duplicates(["sample_id", "variant"])["context"]
    return sum(said(context) == gold[context.split()[-1]] for context in contexts) / len(contexts)


def test_an_induction_head_has_a_rising_curve_of_just_the_height_that_its_exemplars_give(copier: RunRecord) -> None:
    found = [value(copier, "shots_acc", shots) for shots in ALL_SHOTS]
    assert found == pytest.approx(
        [expected(copier, f"{shots} exemplars, draw" if shots else "") for shots in ALL_SHOTS]
    )
    assert found == sorted(found)
    assert found[0] < 0.5
    assert found[-1] > 0.8
    assert value(copier, "gain_per_doubling") > 0.05


def test_with_random_answers_it_copies_these_and_is_at_chance(copier: RunRecord) -> None:
    found = [value(copier, "random_label_acc", shots) for shots in ALL_SHOTS[1:]]
    assert found == pytest.approx([expected(copier, f"{shots} exemplars with random") for shots in ALL_SHOTS[1:]])
    assert found[-1] == pytest.approx(1 / 3, abs=0.2)
    assert value(copier, "label_effect") == pytest.approx(value(copier, "shots_acc", 32) - found[-1], abs=0.15)


def test_one_that_ignores_exemplars_has_a_flat_curve(tmp_path: Path) -> None:
    record = evaluated(tmp_path, copies=False)
    assert len({value(record, "shots_acc", shots) for shots in ALL_SHOTS}) == 1
    assert value(record, "gain_per_doubling") == value(record, "label_effect") == value(record, "order_flip_rate") == 0
    assert value(record, "random_label_acc", 32) == value(record, "shots_acc", 0)
