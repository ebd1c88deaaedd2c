"""What chance alone gives where groups are exchanged: permutation within blocks, shuffles of samples, and the tests.

Where nothing differs, each of the groups of a block could have had each of its values (Fisher, 1935).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

__all__ = ["LargestSums", "largest_sums", "rejected_at", "shuffled_means", "testable"]

DRAWS = 4999
"""Permutations that are drawn where there are too many to go through."""

_ALL = 10_000
"""Permutations up to which all are gone through."""

_CHUNK = 2_000_000
"""Numbers of one block of shuffled samples."""

_SLACK = 1e-9
"""Sums that differ by less are the same but for rounding."""

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class LargestSums:
    """The largest absolute sum over groups, on permutations of the groups within each block.

    `draws` are all permutations, or with `exact` False some of them, drawn at random. `smallest_p` is the smallest
    p value that this many blocks and groups can have, whatever their values.
    """

    draws: Values
    exact: bool
    smallest_p: float

    def p_value(self, largest: float) -> float:
        """The chance of a largest absolute sum of at least this; valid for drawn permutations too (Phipson, 2010)."""
        at_least = int((self.draws >= abs(largest) - _SLACK).sum())
        return at_least / len(self.draws) if self.exact else (at_least + 1) / (len(self.draws) + 1)


def largest_sums(table: Values, generator: np.random.Generator) -> LargestSums:
    """Of a table of shape (blocks, groups), whose sums over blocks are by group."""
    blocks, groups = table.shape
    orders = math.factorial(groups)
    # Renaming the groups changes no largest sum, so that the first block may stay as it is.
    count = float(orders) ** (blocks - 1)
    if count <= _ALL:
        sums = table[:1]
        for row in table[1:]:
            sums = (sums[:, None, :] + np.array(list(permutations(row)))).reshape(-1, groups)
        return LargestSums(draws=np.abs(sums).max(axis=1), exact=True, smallest_p=1 / count)
    drawn = generator.permuted(np.broadcast_to(table, (DRAWS, blocks, groups)), axis=2).sum(axis=1)
    return LargestSums(draws=np.abs(drawn).max(axis=1), exact=False, smallest_p=1 / (DRAWS + 1))


def testable(smallest: Sequence[float], level: float) -> list[int]:
    """Which of several tests could reject at that `level` for all together; `smallest` is the smallest p of each.

    Those that never could take no part, and cost the others nothing (Tarone, 1990).
    """
    counts = range(1, len(smallest) + 2)
    count = next(k for k in counts if sum(one <= level / k for one in smallest) <= k)
    return [index for index, one in enumerate(smallest) if one <= level / count]


def rejected_at(p_values: Sequence[float], smallest: Sequence[float], level: float) -> list[float]:
    """The level of its own at which each test rejects, at that `level` for all together; 0 where it doesn't.

    Holm's step-down method (1979) over those that are `testable`.
    """
    able = sorted(testable(smallest, level), key=lambda index: p_values[index])
    found = [0.0] * len(p_values)
    for step, index in enumerate(able):
        own = level / (len(able) - step)
        if p_values[index] > own:
            break
        found[index] = own
    return found


def shuffled_means(groups: Sequence[Values], generator: np.random.Generator, draws: int = 1000) -> Values:
    """Means by group, of shape (draws, groups), of all groups' samples dealt out to them anew."""
    pooled, sizes = np.concatenate(groups), np.array([len(group) for group in groups])
    if np.isin(pooled, [0.0, 1.0]).all():
        hits = generator.multivariate_hypergeometric(sizes, int(pooled.sum()), size=draws, method="marginals")
        return np.asarray(hits / sizes, dtype=float)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    block = max(1, _CHUNK // len(pooled))
    found = [
        np.add.reduceat(generator.permuted(np.tile(pooled, (rows, 1)), axis=1), starts, axis=1)
        for rows in (min(block, draws - at) for at in range(0, draws, block))
    ]
    return np.asarray(np.concatenate(found) / sizes, dtype=float)
