"""The tree is RFC 6962's: against its own recursive words, and against roots published for known leaves."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.record.merkle import inclusion_path, leaf_hash, root_from_path, tree_root

# The leaves that the tests of the reference implementation of Certificate Transparency use, and its roots.
LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
some = st.lists(st.binary(max_size=6), min_size=1, max_size=40)


def defined(contents):
    """Section 2.1, word for word: split at the largest power of two below n."""
    if not contents:
        return hashlib.sha256(b"").digest()
    if len(contents) == 1:
        return hashlib.sha256(b"\x00" + contents[0]).digest()
    split = 1 << (len(contents) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + defined(contents[:split]) + defined(contents[split:])).digest()


@pytest.mark.parametrize("size", range(1, 9))
def test_published_roots(size):
    contents = [bytes.fromhex(text) for text in LEAVES[:size]]
    assert tree_root([leaf_hash(content) for content in contents]).hex() == ROOTS[size - 1]


def test_the_tree_of_nothing_is_the_digest_of_nothing():
    assert tree_root([]) == defined([])
    with pytest.raises(IndexError):
        inclusion_path([], 0)


@given(some)
def test_the_root_is_that_of_the_definition(contents):
    assert tree_root([leaf_hash(content) for content in contents]) == defined(contents)


@given(some)
def test_every_leaf_has_a_proof_that_holds(contents):
    leaves = [leaf_hash(content) for content in contents]
    for index, leaf in enumerate(leaves):
        path = inclusion_path(leaves, index)
        assert len(path) <= (len(leaves) - 1).bit_length()
        assert root_from_path(leaf, index, len(leaves), path) == tree_root(leaves)


@given(some, st.data())
def test_a_proof_of_anything_else_fails(contents, data):
    leaves = [leaf_hash(content) for content in contents]
    index = data.draw(st.integers(0, len(leaves) - 1))
    path, root = inclusion_path(leaves, index), tree_root(leaves)
    assert root_from_path(leaf_hash(contents[index] + b"!"), index, len(leaves), path) != root
    if path:
        at = data.draw(st.integers(0, len(path) - 1))
        other = [*path]
        other[at] = leaf_hash(other[at])
        assert root_from_path(leaves[index], index, len(leaves), other) != root
        with pytest.raises(ValueError, match="too short"):
            root_from_path(leaves[index], index, len(leaves), path[:-1])
    with pytest.raises(ValueError, match="too long"):
        root_from_path(leaves[index], index, len(leaves), [*path, root])
    with pytest.raises(ValueError, match="no leaf"):
        root_from_path(leaves[index], len(leaves), len(leaves), path)
