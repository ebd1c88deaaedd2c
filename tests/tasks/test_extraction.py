"""Answers are found where people put them, in four languages, and none is found where there is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.tasks.extraction import behind_marker, boxed, first_of, json_value, last_line, last_number, letter, yes_no


@pytest.mark.parametrize(
    ("rule", "text", "answer"),
    [
        (behind_marker, "So the answer is 42.", "42"),
        (behind_marker, "Answer: 1\nno, wait\nFinal answer: **2**\nBye", "2"),
        (behind_marker, "所以答案是：42。", "42"),
        (behind_marker, "最终答案：北京", "北京"),
        (behind_marker, "Die Antwort lautet: 42.", "42"),
        (behind_marker, "Réponse : « 42 »", "« 42 »"),
        (behind_marker, "I can't answer that", None),
        (boxed, r"so \boxed{\frac{1}{2}} it is", r"\frac{1}{2}"),
        (boxed, r"\boxed{1} or rather \boxed{2}", "2"),
        (boxed, r"\boxed{1", None),
        (last_number, "from 3 to 1,234.50 dollars", "1234.50"),
        (last_number, "it is -7.", "-7"),
        (last_number, "10-5", "5"),
        (last_number, "10 − 12 = −2", "-2"),
        (last_number, "1/2", None),
        (last_number, "3,5 Meter", None),
        (last_number, "the 18th", None),
        (last_number, "none", None),
        (letter("ABCD"), "The answer is (B).", "B"),
        (letter("ABCD"), "答案：C", "C"),
        (letter("ABCD"), "B", "B"),
        (letter("ABCD"), "B) because A is wrong", "B"),
        (letter("ABCD"), "It is (A), or maybe (B)", None),
        (letter("ABCD"), "Answer: Apples", None),
        (letter("ABCD"), "A big dog", None),
        (yes_no, "Yes, because", "yes"),
        (yes_no, "Answer: No.", "no"),
        (yes_no, "不是。", "no"),
        (yes_no, "Oui", "yes"),
        (yes_no, "Nein!", "no"),
        (yes_no, "Nobody knows", None),
        (json_value, 'Here: ```json\n{"b": 1, "a": [2]}\n```', '{"a":[2],"b":1}'),
        (json_value, "first [1] then [2, 3]", "[2,3]"),
        (json_value, "{no json}", None),
        (last_line, "one\ntwo.\n\n", "two"),
        (last_line, " \n", None),
    ],
)
def test_the_answer_is_found_or_there_is_none(rule, text, answer):
    found = rule(text)
    assert (found.answer if found else None) == answer


@given(st.integers(-(10**9), 10**9), st.sampled_from(["{}", "Answer: {}", "x = {}.", "答案是{}。", "**{}**", "${}$"]))
def test_a_whole_number_is_found_however_it_is_written(value, around):
    for spelled in (str(value), f"{value:,}"):
        assert last_number(around.format(spelled)).answer == str(value)


@given(st.text())
def test_no_text_makes_a_rule_fail(text):
    for rule in (behind_marker, boxed, last_number, letter("ABCD"), yes_no, json_value, last_line):
        found = rule(text)
        assert found is None or found.answer.strip()
    assert first_of(text, [boxed, last_number]) == (boxed(text) or last_number(text))
