"""Merkle trees as Certificate Transparency has them: one digest for many leaves, and short proofs for each of them.

Laurie, Langley and Kasper, "Certificate Transparency", RFC 6962 (2013), section 2.1. Leaves and nodes are hashed with
different first bytes, so that neither can be passed off as the other. All digests are SHA-256, 32 bytes.
"""

import hashlib
from collections.abc import Sequence

__all__ = ["inclusion_path", "leaf_hash", "root_from_path", "tree_root"]


def leaf_hash(content: bytes) -> bytes:
    """The digest of a leaf."""
    return hashlib.sha256(b"\x00" + content).digest()


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """The root of the tree over leaf digests, in their order; of no leaves, the digest of nothing."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    return _levels(leaves)[-1][0]


def inclusion_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The digests that lead from the leaf at `index` to the root, nearest first: at most log2(n), rounded up.

    Raises `IndexError` where there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise IndexError(f"leaf {index} of {len(leaves)}")
    path = []
    for level in _levels(leaves)[:-1]:
        beside = index ^ 1
        if beside < len(level):
            path.append(level[beside])
        index >>= 1
    return path


def root_from_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that a tree of `size` leaves has if `leaf` is the one at `index` and `path` leads from it to the root.

    Raises `ValueError` for an index beyond the tree, or a path that is too short or too long for it.
    """
    if not 0 <= index < size:
        raise ValueError(f"there is no leaf {index} in a tree of {size}")
    left, digest, last = list(path), leaf, size - 1
    while last:
        if index & 1 or index < last:
            if not left:
                raise ValueError("the path is too short")
            beside = left.pop(0)
            digest = _node(beside, digest) if index & 1 else _node(digest, beside)
        index, last = index >> 1, last >> 1
    if left:
        raise ValueError("the path is too long")
    return digest


def _levels(leaves: Sequence[bytes]) -> list[Sequence[bytes]]:
    """The tree by level, leaves first. A node without a neighbour goes up as it is, which makes the tree RFC 6962's."""
    levels = [leaves]
    while len(levels[-1]) > 1:
        below = levels[-1]
        paired = [_node(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)]
        levels.append([*paired, below[-1]] if len(below) % 2 else paired)
    return levels


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
