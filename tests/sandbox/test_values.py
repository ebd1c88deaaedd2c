"""What passes between a test and a program: data, as they were, and nothing else."""

import io
import math
from enum import IntEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.sandbox.inside.values import Refused, receive, send

HASHABLE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.complex_numbers(allow_nan=False),
    lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3),
    max_leaves=5,
)
VALUES = st.recursive(
    HASHABLE,
    lambda inner: st.lists(inner) | st.dictionaries(HASHABLE, inner, max_size=3) | st.sets(HASHABLE, max_size=3),
    max_leaves=10,
)


def passed(value: object) -> object:
    stream = io.BytesIO()
    send(stream, {"value": value})
    stream.seek(0)
    message = receive(stream)
    assert message is not None
    return message["value"]


@given(VALUES)
def test_data_come_as_they_were(value: object) -> None:
    found = passed(value)
    assert found == value
    assert type(found) is type(value)


def test_what_equality_does_not_tell() -> None:
    assert math.isnan(passed(math.nan))  # type: ignore[arg-type]
    assert passed(math.inf) == math.inf
    assert passed(10**10_000) == 10**10_000
    assert passed("\ud800") == "\ud800"
    assert repr(passed([1, 1.0, True, -0.0])) == "[1, 1.0, True, -0.0]"
    assert type(passed(IntEnum("Colour", "RED").RED)) is int  # type: ignore[attr-defined]


@pytest.mark.parametrize("value", [object(), print, range(3), (one for one in "ab"), type])
def test_what_has_methods_of_its_own_is_refused(value: object) -> None:
    with pytest.raises(Refused, match="no plain data"):
        passed([value])


@given(st.binary())
def test_what_is_no_message_is_refused(line: bytes) -> None:
    stream = io.BytesIO(line + b"\n")
    try:
        found = receive(stream)
    except Refused:
        return
    assert found is None or isinstance(found, dict)


@pytest.mark.parametrize(
    "form",
    [
        '["set", [["list", []]]]',
        "[]",
        '["int"]',
        '["int", "x"]',
        '["bytes", 1]',
        '["complex", "x"]',
        '["dict", [1]]',
        "{}",
        '[["list"]]',
        '["eval", []]',
    ],
)
def test_a_form_that_nothing_is_written_in(form: str) -> None:
    with pytest.raises(Refused, match="can't be read"):
        receive(io.BytesIO(f'{{"value": {form}}}\n'.encode()))
