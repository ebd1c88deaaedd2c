"""Answers are found where people put them, in four languages, and none is found where there is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.tasks.extraction import (
    behind_marker,
    boxed,
    fenced,
    first_number,
    first_of,
    json_value,
    last_line,
    last_number,
    letter,
    number_by,
    yes_no,
)


@pytest.mark.parametrize(
    ("rule", "text", "answer"),
    [
        (behind_marker, "So the answer is 42.", "42"),
        (behind_marker, "Answer: 1\nno, wait\nFinal answer: **2**\nBye", "2"),
        (behind_marker, "Answer: 5\n\nI hope this answer is clear!", "5"),
        (behind_marker, "**Answer**: 5", "5"),
        (behind_marker, "**Final Answer:**\n\n\\boxed{5}", "\\boxed{5}"),
        (behind_marker, "**Answer:**\n5", "5"),
        (behind_marker, "Answer: 5</answer>", "5"),
        (behind_marker, "**答案**：5", "5"),
        (behind_marker, "所以答案是：42。", "42"),
        (behind_marker, "最终答案：北京", "北京"),
        (behind_marker, "Die Antwort lautet: 42.", "42"),
        (behind_marker, "Réponse : « 42 »", "« 42 »"),
        (behind_marker, "I can't answer that", None),
        (boxed, r"so \boxed{\frac{1}{2}} it is", "1/2"),
        (boxed, r"\boxed{\text{Monday}}", "Monday"),
        (boxed, r"\boxed{1} or rather \boxed{2}", "2"),
        (boxed, r"\boxed{1", None),
        (last_number, "from 3 to 1,234.50 dollars", "1234.50"),
        (last_number, "it is -7.", "-7"),
        (last_number, "it takes 3½ hours", None),
        (last_number, "it takes 3 1/2 hours", None),
        (last_number, "in binary 1010₂", None),
        (last_number, "about 10⁶", None),
        (last_number, "the 12 m² cost 30", "30"),
        (last_number, "10 − 12 = −2", "-2"),
        (last_number, "1 / 2", "1/2"),
        (last_number, r"it is $\frac{1}{2}$", "1/2"),
        (last_number, "The 2 bags weigh 5kg.", "5"),
        (last_number, "1\u202f234", "1234"),
        (last_number, "Die 2 Teile kosten 3,50 Euro", None),
        (last_number, "the 18th", None),
        (last_number, "from 3 to x5", None),
        (last_number, "none", None),
        (letter("ABCD"), "The answer is (B).", "B"),
        (letter("ABCD"), "答案：C", "C"),
        (letter("ABCD"), "B", "B"),
        (letter("ABCD"), r"\boxed{\text{B}}", "B"),
        (letter("ABCD"), "B) because A is wrong", "B"),
        (letter("ABCD"), "Answer: B) Paris", "B"),
        (letter("ABCD"), "It is (A), or maybe (B)", None),
        (letter("ABCD"), "(A) is wrong, (B) is right.", None),
        (letter("ABCD"), "Answer: A or B", None),
        (letter("ABCD"), "Answer: A car", None),
        (letter("ABCD"), "Answer: Apples", None),
        (letter("ABCDEFGHI"), "Answer: I don't know", None),
        (letter("ABCD"), "A big dog", None),
        (yes_no, "Yes, because", "yes"),
        (yes_no, "Answer: No.", "no"),
        (yes_no, "不是。", "no"),
        (yes_no, "是错误的。", "no"),
        (yes_no, "是的，对。", "yes"),
        (yes_no, "对不起，我不能回答这个问题。", None),
        (yes_no, "是否如此取决于情况。", None),
        (yes_no, "对于这个问题，我认为不是。", None),
        (yes_no, "不正确", "no"),
        (yes_no, "Oui", "yes"),
        (yes_no, "Nein!", "no"),
        (yes_no, "Nobody knows", None),
        (json_value, 'Here: ```json\n{"b": 1, "a": [2]}\n```', '{"a":[2],"b":1}'),
        (json_value, '```\n{"a": 1}\n```\nNo:\n```\n{"a": 2}\n```', '{"a":2}'),
        (json_value, "first [1] then [2, 3]", "[2,3]"),
        (json_value, '{"name": "x", "tags": [1, 2],}', None),
        (json_value, "{no json}", None),
        (last_line, "one\ntwo.\n\n", "two"),
        (last_line, "two\n</answer>", "two"),
        (last_line, " \n", None),
    ],
)
def test_the_answer_is_found_or_there_is_none(rule, text, answer):
    found = rule(text)
    assert (found.answer if found else None) == answer


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("no block", []),
        ("```python\nf(1)\n```\nand\n~~~\nf(2)\n~~~\n", ["f(1)\n", "f(2)\n"]),
        ("Here: ```json\n{}```", ["{}"]),
        ("Call ```f``` so:\n1. Like this:\n   ```py title=x\n   f()\n   ```", ["   f()\n"]),
        ("```\nnever ended", ["never ended"]),
        ("```\nparts = text.split('```')\n```", ["parts = text.split('```')\n"]),
        ("````md\n```\nf()\n```\n````", ["```\nf()\n```\n"]),
        ("~~~\n```\n~~~", ["```\n"]),
        ("``` f() ```", []),
    ],
)
def test_blocks_of_code_are_what_stands_between_fences(text, blocks):
    assert fenced(text) == blocks


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("5 apples", "5"),
        ("2 + 3 = 5", "5"),
        ("5 because 2 and 3 make 5", "5"),
        ("about 5", "5"),
        (r"\(5\)", "5"),
        ("−3 degrees", "-3"),
        ("1,000", "1000"),
        ("either 4 or 5", None),
        ("five", None),
    ],
)
def test_a_number_is_read_in_a_sentence_where_there_is_no_doubt(said, number):
    assert first_number(said) == number


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


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("18 dollars (16 - 3 - 4 = 9 eggs)", "18"),
        ("18 = 9 * 2", "18"),
        ("$18 = 9 eggs * $2", "18"),
        (r"\$18 for 3 days", "18"),
        ("2 + 3 = 5", "5"),
        ("x = 5", "5"),
        ("\uff11\uff18", "18"),
        ("1'000", "1000"),
        ("- 5", "-5"),
        ("There are 18 eggs in 3 boxes", None),
        ("70k", None),
        ("1.5 million", None),
        ("3\u4e07", None),
    ],
)
def test_the_number_of_a_marked_answer_is_the_one_that_is_meant_or_none(said, number):
    found = number_by(f"We count 7 hens.\nAnswer: {said}", [behind_marker, last_number])
    assert (found.answer if found else None) == number


@pytest.mark.parametrize("said", ["Yes or no: no", "Yes/No", "ja oder nein"])
def test_a_question_said_again_is_no_answer(said):
    assert yes_no(said) is None
