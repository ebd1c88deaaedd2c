"""Values survive being written as JSON; what they could not have been written as is refused, at any depth."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.text.codec import Codec, Form
from harness.core.text.hashing import canonical_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    weight: float
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    name: str
    count: int
    sound: bool | None = None
    leaf: Leaf | None = None
    leaves: tuple[Leaf, ...] = ()
    shares: Mapping[str, float] = field(default_factory=dict)


TREES = Codec(Tree, shares=Form(lambda shares: [list(pair) for pair in shares.items()], dict))
numbers = st.floats(allow_nan=False, allow_infinity=False).map(lambda number: number or 0.0)
leaf = st.builds(Leaf, weight=numbers, names=st.lists(st.text(max_size=3), max_size=3).map(tuple))
tree = st.builds(
    Tree,
    name=st.text(max_size=5),
    count=st.integers(-(2**53) + 1, 2**53 - 1),
    sound=st.none() | st.booleans(),
    leaf=st.none() | leaf,
    shares=st.dictionaries(st.text(max_size=3), numbers, max_size=3),
)


@given(value=tree)
def test_a_value_survives_its_bytes(value: Tree) -> None:
    written = canonical_json(TREES.encode(value))
    back = TREES.decode(json.loads(written))
    assert back == value
    assert list(back.shares) == list(value.shares)
    assert canonical_json(TREES.encode(back)) == written


def test_what_has_a_default_may_be_missing_and_whole_numbers_stand_for_floats() -> None:
    found = TREES.decode({"name": "a", "count": 1, "leaf": {"weight": 2}, "leaves": [{"weight": 1.5, "names": ["x"]}]})
    assert found == Tree(name="a", count=1, leaf=Leaf(weight=2.0), leaves=(Leaf(weight=1.5, names=("x",)),))
    assert isinstance(found.leaf.weight, float)  # type: ignore[union-attr]


SOUND = {"name": "a", "count": 1, "leaf": {"weight": 2.0}}


@pytest.mark.parametrize(
    "value",
    [
        {"count": 1},
        {**SOUND, "more": 1},
        {**SOUND, "leaf": {"weight": 2.0, "more": 1}},
        {**SOUND, "leaf": {"weight": "2.0"}},
        {**SOUND, "leaf": {"weight": True}},
        {**SOUND, "leaf": {"weight": 2.0, "names": "ab"}},
        {**SOUND, "count": 1.5},
        {**SOUND, "count": True},
        {**SOUND, "count": "1"},
        {**SOUND, "name": 1},
        {**SOUND, "name": None},
        {**SOUND, "sound": 1},
        {**SOUND, "shares": [["a", "b"]]},
        {**SOUND, "shares": 5},
        {**SOUND, "leaves": {"weight": 2.0}},
        [SOUND],
        None,
    ],
    ids=repr,
)
def test_anything_else_is_refused(value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        TREES.decode(value)
