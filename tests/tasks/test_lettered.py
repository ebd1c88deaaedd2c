import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import DataError
from harness.tasks.lettered import gold_option, lettered_options

words = st.text("abc xyz.?,", min_size=1, max_size=20).filter(lambda text: bool(text.strip()))


@given(st.lists(words, min_size=2, max_size=8, unique=True), st.data())
def test_options_come_back_as_they_were_written(options: list[str], data: st.DataObject) -> None:
    lines = [f"{chr(ord('A') + index)}. {option}" for index, option in enumerate(options)]
    assert lettered_options("\n".join(lines)) == tuple(options)
    assert lettered_options("\n" + "\n".join(lines)) == tuple(options)
    gold = data.draw(st.integers(0, len(options) - 1))
    assert gold_option(tuple(options), lines[gold]) == gold


def test_a_line_with_another_letter_stays_inside_its_option() -> None:
    assert lettered_options("A. one\n D. not yet\nD. nor here\nB. two") == ("one\n D. not yet\nD. nor here", "two")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("C. a\nD. b", "don't begin with 'A. '"),
        (".\nA. a\nB. b", "don't begin with 'A. '"),
        ("", "at least two"),
        ("A. alone", "at least two"),
        ("A. a\nB. \nC. c", "none of them empty"),
    ],
)
def test_damaged_options_are_refused(text: str, problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        lettered_options(text)


def test_a_gold_answer_must_be_one_option_letter_and_all() -> None:
    with pytest.raises(DataError, match="none of the options"):
        gold_option(("sail boat?", "raft"), "A. sail boat")
    with pytest.raises(DataError, match="none of the options"):
        gold_option(("raft", "boat"), "A. boat")
    with pytest.raises(DataError, match="occurs twice"):
        gold_option(("can", "can"), "B. can")
