"""Written answers of a suite file, through the real command and a real checkpoint: what is read, kept and shown."""

import json

import pytest

from harness.core.errors import HarnessError
from harness.record import load_record
from harness.run.options import EvalOptions
from harness.run.pipeline import evaluate
from harness.run.rescore import rescore
from harness.tasks.extraction import same_answer
from tests import tiny

ROWS = [{"q": f"What is {one} + {one}?", "a": str(2 * one)} for one in range(1, 8)]
FILE = """
name: mine
tasks:
  - name: sums
    type: written
    data: rows.jsonl
    prompt: "{q} Answer:"
    reference: a
    extract: [marked, number]
    max_tokens: 12
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("written")
    tiny.build_tiny_checkpoint(folder / "model")
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    (folder / "mine.yaml").write_text(FILE)
    return folder


def run(folder, name, **options):
    settings = EvalOptions(output=folder / name, store="none", meter="none", offline=True, **options)
    return evaluate(str(folder / "model"), suite=str(folder / "mine.yaml"), options=settings)


def scores(record):
    table = record.scores
    return {(row.sample_id, row.metric, str(row.groups)): row.value for row in table.itertuples()}


def test_draws_are_the_same_in_any_batch_and_scored_again_from_the_record(folder):
    first = run(folder, "first", samples=3)
    other = run(folder, "other", samples=3, batch_tokens=40)
    assert scores(first) == scores(other)
    answers = [(one.text, one.stop) for one in first.answers.values()]
    assert len(answers) == 3 * len(ROWS)
    assert len(set(answers)) > len(ROWS)
    assert {stop for _, stop in answers} <= {"end", "length"}
    assert {one.metric for one in first.estimate_list} >= {"accuracy_all", "cut", "pass_at_k", "majority"}
    assert all("|sampling:" in one.signature for one in first.estimate_list if one.task == "sums")
    found = rescore(load_record(first.folder), [str(folder / "mine.yaml")])
    assert (found.rescored, found.differences) == (("mine/sums",), ())


def test_a_larger_budget_asks_something_else_and_cuts_no_more(folder):
    short, long = run(folder, "short"), run(folder, "long", max_tokens=24)
    assert short.run_id != long.run_id
    cut = [{one.metric: one.value for one in record.estimate_list}["cut"] for record in (short, long)]
    assert cut[0] >= cut[1]
    assert {one.token_count for one in short.answers.values() if one.is_cut} == {12}


@pytest.mark.parametrize(
    ("extract", "chance"),
    [("[letter]\n    letters: ABCD", 0.25), ("[letter]", None), ("[yes_no]", 0.5), ("[number]", None)],
)
def test_chance_stands_beside_answers_that_are_a_choice(folder, tmp_path, extract, chance):
    (tmp_path / "rows.jsonl").write_text((folder / "rows.jsonl").read_text())
    (tmp_path / "mine.yaml").write_text(FILE.replace("[marked, number]", extract).replace("12", "2"))
    options = EvalOptions(output=tmp_path / "runs", store="none", meter="none", offline=True, limit=2)
    record = evaluate(str(folder / "model"), suite=str(tmp_path / "mine.yaml"), options=options)
    told = [(one.value, one.stderr, one.low) for one in record.estimate_list if one.metric == "chance"]
    assert told == ([] if chance is None else [(chance, None, None)])
    found = rescore(load_record(record.folder), [str(tmp_path / "mine.yaml")])
    assert (found.rescored, found.differences) == (("mine/sums",), ())


@pytest.mark.parametrize(
    ("answer", "reference", "same"),
    [
        ("0.5", "1/2", True),
        ("5", "0.5", False),
        ("1,000", "1000", True),
        ("−3", "-3", True),
        ("Paris", " paris. ", True),
        ("[1, 2]", "[1,2]", True),
        ("[2, 1]", "[1, 2]", False),
        ('{"a": 1, "b": 2}', '{"b": 2, "a": 1}', True),
        ("1/0", "1", False),
        ("1e10000000", "5", False),
        ("9" * 10_000, "9", False),
        ("1", "true", False),
        ('{"a": true}', '{"a": 1}', False),
        ('{"a": 1.0}', '{"a": 1}', True),
        (r"\frac{1}{2}", "0.5", True),
        ("", "0", False),
    ],
)
def test_two_answers_are_the_same_by_what_they_say(answer, reference, same):
    assert same_answer(answer, reference) is same


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("extract: [marked, number]", "extract: [guess]"), "extract"),
        (("extract: [marked, number]", "extract: [letter]\n    letters: abc"), "letters"),
        (("max_tokens: 12", "max_tokens: 12\n    metrics: ['evaluate:f1']"), "generate_until"),
        (("reference: a", "reference: nowhere"), "nowhere"),
    ],
)
def test_what_a_file_says_wrongly_is_told_in_one_line(folder, tmp_path, change, words):
    (tmp_path / "rows.jsonl").write_text((folder / "rows.jsonl").read_text())
    (tmp_path / "mine.yaml").write_text(FILE.replace(*change))
    with pytest.raises(HarnessError, match=words) as caught:
        evaluate(
            str(folder / "model"),
            suite=str(tmp_path / "mine.yaml"),
            options=EvalOptions(output=tmp_path / "runs", store="none", meter="none", offline=True),
        )
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"thinking": "on"}, "--thinking on: has no effect without a chat"),
        ({"samples": 2, "temperature": 0.0}, "greedy answers, which are all the same"),
        ({"max_tokens": 256}, "leaves no room for a prompt in the model's context window of 256 tokens"),
    ],
)
def test_options_that_change_nothing_are_refused(folder, options, words):
    with pytest.raises(HarnessError, match=words):
        run(folder, "refused", **options)
