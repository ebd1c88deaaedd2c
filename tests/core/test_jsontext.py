"""What may stand in a record's JSON: nothing that could not be written again."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.text.jsontext import parse_json


@pytest.mark.parametrize(
    "text",
    [r'"\ud800"', r'{"\uDFFF": 1}', r'["\ud83d \ude00"]', r'"\ude00\ud83d"', '"\ud800"', r'"\\\ud800"'],
)
def test_half_of_a_surrogate_pair_is_refused(text):
    with pytest.raises(ValueError, match="half of a surrogate pair"):
        parse_json(text)
    if text.isascii():
        with pytest.raises(ValueError, match="half of a surrogate pair"):
            parse_json(text.encode())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'"\ud83d\ude00"', "\U0001f600"),
        (r'"\\ud800"', r"\ud800"),
        ('"\U0001f600"', "\U0001f600"),
        ('"\ud7ff"', "\ud7ff"),
    ],
)
def test_whole_pairs_and_what_only_looks_like_one_are_read(text, value):
    assert parse_json(text) == parse_json(text.encode()) == value


@given(st.text(), st.booleans())
def test_every_text_that_can_be_written_is_read_back(text, is_ascii):
    assert parse_json(json.dumps(text, ensure_ascii=is_ascii)) == text
