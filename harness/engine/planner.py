"""Cuts the work of many requests into batches under a token budget. Pure: no torch, no clock, no randomness.

Batches hold rows of like length, the longest first, so that little is wasted on padding and a budget too large for the
memory shows at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from harness.engine.tree import Forest, Row, Tokens, path_row, plant, side_by_side

__all__ = ["SHORTEST_SHARE", "Pack", "cut", "pack_alone", "pack_shared", "stem_tokens"]

SHORTEST_SHARE = 0.9
_SHORTEST_GAP = 8
"""A row is batched with a longer one if it has this share of its length, or lacks at most so many tokens."""

_SIDE_TOKENS = 128
"""Rows behind a stem are put side by side up to so many tokens: attention between them is wasted, but still cheap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """Rows that go through the model together, all behind the same stem.

    `chain` holds the lengths at which the pieces of the stem end.
    """

    stem: Tokens = ()
    chain: tuple[int, ...] = ()
    rows: tuple[Row, ...]


def pack_shared(sequences: dict[Tokens, int], budget: int, *, branching: bool = True) -> list[Pack]:
    """Packs in which shared prefixes are read once; for the values of `sequences`, and for `branching`, see `plant`.

    A pack has at most `budget` padded tokens, or a single row. Depends on the set of sequences and the budget alone.
    """
    return [
        Pack(stem=forest.stem, chain=forest.chain, rows=rows[part.start : part.stop])
        for forest in plant(sequences, branching=branching)
        for found in [_rows(forest, budget) if branching else forest.rows]
        for rows in [tuple(sorted(found, key=lambda row: (-len(row.tokens), row.tokens)))]
        for part in cut([len(row.tokens) for row in rows], budget)
    ]


def stem_tokens(pack: Pack, before: Pack) -> int:
    """Tokens that have to be read for the pack's stem, when that of the pack `before` it is still at hand."""
    known = [end for end in pack.chain if end in before.chain and before.stem[:end] == pack.stem[:end]]
    return len(pack.stem) - max(known, default=0)


def _rows(forest: Forest, budget: int) -> Sequence[Row]:
    return side_by_side(forest.rows, min(budget, _SIDE_TOKENS)) if forest.stem else forest.rows


def pack_alone(
    groups: Sequence[Sequence[Tokens]], budget: int, way: Callable[[int], int]
) -> list[tuple[Pack, list[int]]]:
    """Packs in which each sequence is a row of its own, with the indices of the groups they answer.

    The sequences of one group (the windows of one document) stay together, even over the budget; equal groups
    share their rows. Sequences whose longest have lengths of another `way` (`Lengths.way`) are never in one pack.
    """
    order = sorted(range(len(groups)), key=lambda index: (-max(map(len, groups[index])), tuple(groups[index])))
    distinct = [list(same) for _, same in groupby(order, key=lambda index: tuple(groups[index]))]
    packs: list[tuple[list[Tokens], list[int]]] = []
    width = 0
    for same in distinct:
        sequences = groups[same[0]]
        longest = max(map(len, sequences))
        fits = bool(packs) and (len(packs[-1][0]) + len(sequences)) * width <= budget
        if fits and _is_alike(longest, width) and way(longest) == way(width):
            packs[-1][0].extend(sequences)
            packs[-1][1].extend(same)
        else:
            packs.append((list(sequences), list(same)))
            width = longest
    return [
        (Pack(rows=tuple(path_row(row) for row in sorted(set(rows), key=lambda row: (-len(row), row)))), indices)
        for rows, indices in packs
    ]


def cut(lengths: Sequence[int], budget: int, share: float = SHORTEST_SHARE) -> list[range]:
    """Consecutive ranges of rows of falling length, each of at most `budget` padded tokens, or a single row.

    The rows of a range have `share` of the length of its longest, or lack a few tokens of it.
    """
    ranges: list[range] = []
    start = 0
    for index in range(len(lengths)):
        too_many = (index + 1 - start) * lengths[start] > budget
        if index > start and (too_many or not _is_alike(lengths[index], lengths[start], share)):
            ranges.append(range(start, index))
            start = index
    if start < len(lengths):
        ranges.append(range(start, len(lengths)))
    return ranges


def _is_alike(length: int, longest: int, share: float = SHORTEST_SHARE) -> bool:
    return length >= longest * share or longest - length <= _SHORTEST_GAP
