"""Canonical JSON and its reader: every finite double goes through, and gives the same bytes again."""

import json
import math
import re
import struct

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from harness.core.text.hashing import MAX_INTEGER, canonical_json
from harness.core.text.jsontext import parse_json

DOUBLES = st.floats(allow_nan=False, allow_infinity=False)
WHOLE_DOUBLES = st.integers(-(2**1023), 2**1023).map(float)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | DOUBLES | WHOLE_DOUBLES | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=8,
)

PUBLISHED = {
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "ffefffffffffffff": "-1.7976931348623157e+308",
    "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992",
    "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}
"""Samples of RFC 8785, appendix B: the bits of a double, and its form."""


@pytest.mark.parametrize(("bits", "form"), PUBLISHED.items())
def test_numbers_have_the_published_form(bits, form):
    (number,) = struct.unpack(">d", bytes.fromhex(bits))
    assert canonical_json(number) == form.encode()


@given(DOUBLES | WHOLE_DOUBLES)
@example(float(2**53))
@example(-float(2**53) - 2)
@example(1e16)
@example(999999999999999900000.0)
@example(1e21)
@example(5e-324)
@example(-0.0)
def test_every_finite_double_goes_both_ways(number):
    written = canonical_json(number)
    read = parse_json(written)
    assert read == number
    assert canonical_json(read) == written
    assert float(json.loads(written)) == number, "another reader's number is another"


@given(VALUES)
def test_what_was_written_and_read_is_written_the_same(value):
    written = canonical_json(value)
    assert canonical_json(parse_json(written)) == written
    assert parse_json(written) == value


@given(VALUES)
@example({"\ue000": 1, "\U00010000": 2})
@example(("a\tb\x7f\x1f/\\", (True, 1e-4, 9e15, 1e16)))
def test_the_form_is_that_of_the_library(value):
    assert canonical_json(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("value", [{1: "a"}, {"a": {None: 1}}, {"b": 1, 2: 3}, ["\ud800"], {"\ud800": 1}, {1, 2}, b"a"])
def test_what_the_library_refuses_is_refused_in_its_words(value):
    with pytest.raises((rfc8785.CanonicalizationError, UnicodeEncodeError)) as expected:
        rfc8785.dumps(value)
    with pytest.raises(ValueError, match=f"^{re.escape(str(expected.value))}$"):
        canonical_json(value)


@pytest.mark.parametrize("number", [MAX_INTEGER + 1, -MAX_INTEGER - 1, math.nan, math.inf, -math.inf])
def test_what_canonical_json_can_not_hold_is_refused(number):
    with pytest.raises(ValueError, match=r"exceeds|not representable"):
        canonical_json(number)


@pytest.mark.parametrize("text", ["NaN", "-Infinity", "1e999", "9" * 400, "[" * 100_000])
def test_what_no_double_holds_is_no_json(text):
    with pytest.raises(ValueError, match=r"not a JSON number|too large|nested"):
        parse_json(text)
