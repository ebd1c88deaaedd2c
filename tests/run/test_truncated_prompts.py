"""Prompts longer than the window: what lost its exemplars counts and is told, what lost its question is no sample."""

import json

import pytest

import harness
from harness.core.text.truncation import QUESTION_LOST
from harness.report import ReportContext, Words, build_document, to_markdown
from tests.cli.conftest import harness_here
from tests.tiny import TEXT

__all__ = ["harness_here"]

OPTIONS = {"meter": "none", "store": "none", "offline": True}
SUITE = """
name: long
tasks:
  - name: front
    type: multiple_choice
    data: long.jsonl
    prompt: "{q}\\n{text}\\nAnswer:"
    choices: ["yes", "no"]
    gold: g
  - name: writing
    type: generate_until
    data: long.jsonl
    prompt: "{q}\\n{text}\\nAnswer:"
    reference: g
    max_tokens: 4
  - name: shots
    type: multiple_choice
    data: short.jsonl
    prompt: "{q}\\nAnswer:"
    choices: ["yes", "no"]
    gold: g
    num_fewshot: 6
"""
LM_EVAL = """
task: long_lm_eval
dataset_path: json
dataset_kwargs: {data_files: {test: LONG}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{q}}\\n{{text}}\\nAnswer:"
doc_to_choice: ["yes", "no"]
doc_to_target: g
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Four long questions and four that fit a window of 256; short ones whose exemplars don't fit."""
    home = tmp_path_factory.mktemp("long")
    rows = [
        {"q": f"Question {number}: is it?", "text": TEXT[number % 4] * (9 if number < 4 else 1), "g": "yes"}
        for number in range(8)
    ]
    (home / "long.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    short = [{"q": f"{TEXT[number % 4]} {number}?", "g": "no"} for number in range(12)]
    (home / "short.jsonl").write_text("".join(json.dumps(row) + "\n" for row in short), "utf-8")
    (home / "suite.yaml").write_text(SUITE)
    indexed = [{**row, "g": 0} for row in rows]
    (home / "indexed.json").write_text(json.dumps(indexed))
    (home / "long_lm_eval.yaml").write_text(LM_EVAL.replace("LONG", str(home / "indexed.json")))
    return home


@pytest.fixture(scope="module")
def record(folder, tiny_llama):
    options = harness.EvalOptions(output=folder / "runs", **OPTIONS)
    return harness.evaluate(str(tiny_llama), suite=str(folder / "suite.yaml"), options=options)


def counts(record):
    return {one.task: (one.n, one.invalid_count, one.truncated_count) for one in record.estimate_list}


def test_a_question_that_was_cut_off_is_invalid_and_lost_exemplars_are_counted(record):
    assert counts(record) == {"front": (4, 4, 0), "writing": (4, 4, 0), "shots": (6, 0, 6)}
    assert set(record.scores.query("task != 'shots'").invalid.dropna()) == {QUESTION_LOST}
    assert record.scores.query("task == 'shots'").truncated.all()
    lost = record.samples.query("unread_character_count > 0")
    assert set(lost.task) == {"front", "writing", "shots"}
    assert record.is_partial


def test_so_it_is_in_tasks_of_lm_eval(folder, tiny_llama):
    options = harness.EvalOptions(output=folder / "runs", include_path=folder, **OPTIONS)
    record = harness.evaluate(str(tiny_llama), task="lm-eval:long_lm_eval", options=options)
    assert set(counts(record).values()) == {(4, 4, 0)}


def test_console_and_report_say_so(record, harness_here):
    shown = " ".join(harness_here("show", record.folder, "--all").stdout.split())
    assert "6 (6 cut)" in shown
    assert "long/shots (6)" in shown
    text = to_markdown(build_document(ReportContext(record=record, words=Words("en"))))
    assert r"they are in the scores: shots \(6\)." in text
