"""The prefix tree of what is to be read, cut into rows that a model can take. Pure: no torch.

Sorted, token sequences stand in the order of their prefix tree: what two neighbours share is the path that they have
in common. A group of neighbours under one node becomes

- a row: the group's whole subtree packed into one sequence, in which each token sees its ancestors alone; or
- rows under a stem: the path that the group shares is read once, kept in the key-value cache, and every row
  continues from there; or
- separate rows that each read the path again, where it is too short to be worth either.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["Forest", "Row", "Tokens", "packed_row", "path_row", "plant", "shared_length", "side_by_side"]

Tokens = tuple[int, ...]

_ROW_TOKENS = 512
"""A subtree of at most so many tokens may be one row: attention between all its tokens is still cheap."""
_ROW_STRETCH = 1.5
"""... or one that is at most so much longer than its longest sequence, which has to be read in any case."""
_WASTE = 0.1
"""Reading a shared path again in each row is fine where it costs at most this share of the subtree."""
_STEM_TOKENS = 128
"""What a stem costs beside its own tokens, in tokens: a forward pass of its own, a copy of its cache for each row."""
_SMALL_BATCH = 256
"""Tokens below which a batch is too small for the processor to be busy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A subtree packed into one sequence, in the order of a depth-first walk.

    `parents[i]` is the index in the row of the token before `tokens[i]`, -1 for one that follows the stem directly. The
    first `trunk` tokens form a path. `ends` gives, for each sequence that ends in this row, the index of its last
    token.
    """

    tokens: Tokens
    parents: Tokens
    trunk: int
    ends: dict[Tokens, int]

    @property
    def is_path(self) -> bool:
        """Whether the row is a plain sequence."""
        return self.trunk == len(self.tokens)

    def path(self, end: int, length: int | None = None) -> list[int]:
        """Indices of the tokens on the path that ends at `end`, in reading order: all of them, or the last `length`."""
        indices: list[int] = []
        while end >= 0 and len(indices) != length:
            indices.append(end)
            end = self.parents[end]
        return indices[::-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forest:
    """The rows under one stem, a path read once before them; the empty stem is none.

    A stem may continue another one: `chain` holds the lengths at which the stem's own stems, and itself, end.
    """

    stem: Tokens
    chain: tuple[int, ...]
    rows: tuple[Row, ...]


def plant(sequences: dict[Tokens, int], *, branching: bool = True) -> list[Forest]:
    """Cut distinct, non-empty token sequences into forests, those without a stem first.

    The value of each sequence is how many of its first tokens may lie in a stem: logits are needed behind them.
    Every sequence ends in exactly one row; read along its row's parents and then its stem, it is whole. Without
    `branching`, each row is one sequence, for models that can't be told who sees whom.
    """
    return _Planter(sequences, branching=branching).forests() if sequences else []


class _Planter:
    def __init__(self, sequences: dict[Tokens, int], *, branching: bool) -> None:
        self.branching = branching
        self.sequences = sorted(sequences)
        self.free = [sequences[sequence] for sequence in self.sequences]
        self.shared = [0, *(shared_length(*pair) for pair in pairwise(self.sequences))]
        self.sizes = [0]
        for sequence, shared in zip(self.sequences, self.shared, strict=True):
            self.sizes.append(self.sizes[-1] + len(sequence) - shared)
        self.rows: dict[Tokens, list[Row]] = {(): []}
        self.chains: dict[Tokens, tuple[int, ...]] = {(): ()}

    def forests(self) -> list[Forest]:
        waiting: list[tuple[int, int, Tokens]] = [(0, len(self.sequences), ())]
        while waiting:
            waiting.extend(reversed(self._divide(*waiting.pop())))
        return [
            Forest(stem=stem, chain=self.chains[stem], rows=tuple(rows)) for stem, rows in self.rows.items() if rows
        ]

    def _divide(self, low: int, high: int, stem: Tokens) -> list[tuple[int, int, Tokens]]:
        """Make a row of the sequences from `low` to `high`, or say into which groups, under which stem, they fall."""
        if high - low == 1:
            self._add_row(low, high, stem)
            return []
        node = min(self.shared[low + 1 : high])
        groups = list(pairwise([low, *(i for i in range(low + 1, high) if self.shared[i] == node), high]))
        size = self._size(low, high, len(stem))
        repeats = len(groups) - 1
        if self.branching and (node - len(stem)) * repeats > _WASTE * size:
            longest = max(map(len, self.sequences[low:high])) - len(stem)
            if size <= max(_ROW_TOKENS, _ROW_STRETCH * longest):
                self._add_row(low, high, stem)
                return []
        end = min(node, *self.free[low:high])
        if (end - len(stem)) * repeats > _STEM_TOKENS + max(0, _SMALL_BATCH - size + end - len(stem)):
            longer = self.sequences[low][:end]
            # Groups beside one another come to the same stem where logits are needed from its end on.
            self.rows.setdefault(longer, [])
            self.chains.setdefault(longer, (*self.chains[stem], end))
            stem = longer
        return [(*group, stem) for group in groups]

    def _size(self, low: int, high: int, start: int) -> int:
        """Tokens of the subtree below the first `start`."""
        return self.sizes[high] - self.sizes[low + 1] + len(self.sequences[low]) - start

    def _add_row(self, low: int, high: int, stem: Tokens) -> None:
        self.rows[stem].append(packed_row(self.sequences[low:high], len(stem)))


def packed_row(sequences: Sequence[Tokens], start: int) -> Row:
    """The subtree of sorted, distinct sequences that share their first `start` tokens, those left out."""
    tokens: list[int] = []
    parents: list[int] = []
    ends: dict[Tokens, int] = {}
    path: list[int] = []
    trunk = len(sequences[0]) - start
    for before, sequence in zip((None, *sequences), sequences, strict=False):
        keep = shared_length(before, sequence) - start if before is not None else 0
        trunk = min(trunk, keep) if before is not None else trunk
        del path[keep:]
        rest = sequence[start + keep :]
        first = len(tokens)
        tokens += rest
        parents += ((path[-1] if path else -1), *range(first, first + len(rest) - 1)) if rest else ()
        path += range(first, first + len(rest))
        ends[sequence] = path[-1]
    return Row(tokens=tuple(tokens), parents=tuple(parents), trunk=trunk, ends=ends)


def side_by_side(rows: Sequence[Row], limit: int) -> list[Row]:
    """Rows behind one stem, put side by side into longer ones of at most `limit` tokens; none sees the other.

    Each row of a batch needs a copy of the stem's keys and values, which for short rows costs more than they do.
    """
    joined: list[list[Row]] = []
    room: list[int] = []
    for row in sorted(rows, key=lambda row: (-len(row.tokens), row.tokens)):
        place = next((index for index, left in enumerate(room) if left >= len(row.tokens)), len(joined))
        if place == len(joined):
            joined.append([])
            room.append(limit)
        joined[place].append(row)
        room[place] -= len(row.tokens)
    return [_joined(several) if len(several) > 1 else several[0] for several in joined]


def _joined(rows: Sequence[Row]) -> Row:
    tokens: list[int] = []
    parents: list[int] = []
    ends: dict[Tokens, int] = {}
    for row in rows:
        before = len(tokens)
        tokens += row.tokens
        parents += (parent + before if parent >= 0 else -1 for parent in row.parents)
        ends |= {sequence: end + before for sequence, end in row.ends.items()}
    return Row(tokens=tuple(tokens), parents=tuple(parents), trunk=0, ends=ends)


def path_row(tokens: Tokens) -> Row:
    """One sequence as a row of its own."""
    return Row(
        tokens=tokens, parents=tuple(range(-1, len(tokens) - 1)), trunk=len(tokens), ends={tokens: len(tokens) - 1}
    )


def shared_length(first: Tokens, second: Tokens) -> int:
    """How many tokens both begin with."""
    # By halving: slices are compared without a loop of ours.
    shared, differing = 0, min(len(first), len(second)) + 1
    while differing - shared > 1:
        middle = (shared + differing) // 2
        if first[shared:middle] == second[shared:middle]:
            shared = middle
        else:
            differing = middle
    return shared
