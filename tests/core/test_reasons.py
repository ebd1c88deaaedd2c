"""A reason is its English sentence, and can be taken apart, written down and said in another language."""

import copy
import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.text.reasons import Reason, but_last, reworded, told_together, wording

NAMES = st.from_regex(r"[a-z]{1,6}", fullmatch=True)
REASONS = st.recursive(
    st.text(max_size=20) | st.integers(),
    lambda fields: st.builds(
        lambda template, given: Reason(template, **given),
        st.text(max_size=20),
        st.dictionaries(NAMES, fields, max_size=3),
    ),
    max_leaves=4,
).filter(lambda one: isinstance(one, Reason))
SMALL = Reason("a group of {samples} is too small", samples=3)


def test_a_reason_is_its_sentence() -> None:
    assert SMALL == "a group of 3 is too small"
    assert json.dumps(SMALL) == '"a group of 3 is too small"'
    assert Reason("{name}: {reason}", name="acc", reason=SMALL) == "acc: a group of 3 is too small"


def test_what_fills_a_place_is_never_a_template() -> None:
    assert Reason("{one} of {samples}", one="{samples} {0.__class__}", samples=3) == "{samples} {0.__class__} of 3"
    assert Reason("{one.__class__} {one!r} {} {gone}", one=3) == "{one.__class__} {one!r} {} {gone}"


@given(REASONS)
def test_it_survives_pickling_copying_and_json(reason: Reason) -> None:
    for again in (pickle.loads(pickle.dumps(reason)), copy.deepcopy(reason), Reason.from_json(reason.to_json())):
        assert (str(again), again.to_json()) == (str(reason), reason.to_json())
    read = json.loads(json.dumps(wording(reason=reason)))
    assert reworded({"reason": str(reason)}, read)["reason"].to_json() == reason.to_json()


def test_it_is_said_down_to_its_parts_and_a_text_of_others_as_it_stands() -> None:
    words = {"a group of {samples} is too small": "群体过小：{samples}", "; ": "；"}
    told = told_together([SMALL, "a plug-in says this"])
    assert isinstance(told, Reason)
    assert told.said_by(lambda text: words.get(text, text)) == "群体过小：3；a plug-in says this"


def test_reasons_are_joined_and_the_last_taken_off() -> None:
    assert told_together([]) == ""
    assert told_together([None, "", "one"]) == "one"
    assert told_together(["one", "two", "three"]) == "one; two; three"
    assert but_last(told_together(["one", "two", "three"])) == "one; two"
    assert but_last(told_together([SMALL, SMALL])) == SMALL
    assert but_last("one; two") == "one; two"


@pytest.mark.parametrize("count", [2, 8, 9, 300])
def test_a_record_reads_any_number_of_reasons_that_were_told_together(count: int) -> None:
    told = Reason("what differs is {what}", what=told_together([SMALL] * count))
    read = reworded({"reason": str(told)}, json.loads(json.dumps(wording(reason=told))))["reason"]
    assert read.said_by(lambda text: {"; ": "；", SMALL.template: "群体过小：{samples}"}.get(text, text)) == (
        "what differs is " + "；".join(["群体过小：3"] * count)
    )


@pytest.mark.parametrize(
    "value", [None, [], {}, {"template": 1, "fields": {}}, {"template": "a", "fields": {"x": 0.5}}, {"template": "a"}]
)
def test_what_is_no_reason_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="no reason"):
        Reason.from_json(value)  # type: ignore[arg-type]


def test_a_reason_within_a_reason_without_end_is_refused() -> None:
    value: object = "end"
    for _ in range(20):
        value = {"template": "{x}", "fields": {"x": value}}
    with pytest.raises(ValueError, match="no reason"):
        Reason.from_json(value)  # type: ignore[arg-type]


def test_a_wording_that_says_something_else_than_the_text_does_not_count() -> None:
    assert reworded({"reason": "all is well"}, wording(reason=SMALL)) == {}
