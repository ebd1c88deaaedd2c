"""Whether the data tell two runs apart: paired over samples where both had the same ones."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from harness.core.statistics import exact_mcnemar
from harness.store.values import SampleErrors

__all__ = ["Part", "RunParts", "difference_p"]


_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One estimate in a run's score: what a unit of it adds to the score, its standard error, its samples' shares."""

    coefficient: float
    stderr: float | None
    n: int
    errors: SampleErrors | None


RunParts = Mapping[tuple[str, str], Part]
"""The parts of a run's score by suite and task."""


def difference_p(difference: float, first: RunParts, second: RunParts) -> float:
    """The two-sided p value of a difference between the scores of two runs.

    Where both runs have the same samples of a part, the difference is taken sample by sample; elsewhere the parts count
    as independent. Parts are independent of each other; the degrees of freedom are Welch's (1947). A part without a
    standard error counts as exact, unless no part has one: then nothing is told apart, and p is 1. Where all samples
    differ by the same, p is that of the sign test. Where one part has samples that are right or wrong, it is that of
    McNemar's exact test, as in `harness compare`: a normal approximation is too sure of few samples that flipped.
    """
    exact = _flips_p(difference, first, second)
    if exact is not None:
        return exact
    variances: list[tuple[float, int]] = []
    for key in sorted({*first, *second}):
        variances += _variances(first.get(key), second.get(key))
    if not variances or difference == 0:
        return 1.0
    total = math.fsum(variance for variance, _ in variances)
    if total <= 0:
        return min(1.0, 2 * 0.5 ** max(count for _, count in variances))
    freedom = total**2 / math.fsum(variance**2 / max(count - 1, 1) for variance, count in variances)
    return float(2 * special.stdtr(freedom, -abs(difference) / math.sqrt(total)))


def _flips_p(difference: float, first: RunParts, second: RunParts) -> float | None:
    """McNemar's p value, where the difference is that of one part whose samples, each by itself, flip or don't."""
    if len({*first, *second}) != 1 or first.keys() != second.keys():
        return None
    one, other = next(iter(first.values())), next(iter(second.values()))
    paired = _paired(one, other)
    if paired is None or one.coefficient != other.coefficient or one.coefficient == 0:
        return None
    mine, theirs = paired
    if len(np.unique(mine.clusters)) != len(mine.clusters):
        return None
    changes = mine.values - theirs.values + difference / one.coefficient
    whole = np.rint(changes)
    if np.abs(changes - whole).max() > _ROUNDING or np.abs(whole).max() > 1:
        return None
    return exact_mcnemar(int((whole > 0).sum()), int((whole < 0).sum()))


def _paired(one: Part, other: Part) -> tuple[SampleErrors, SampleErrors] | None:
    """The shares of both, where they are of the same samples."""
    if one.errors and other.errors and one.errors.samples_sha256 == other.errors.samples_sha256:
        return one.errors, other.errors
    return None


def _variances(one: Part | None, other: Part | None) -> Sequence[tuple[float, int]]:
    """Variances of a part's share in the difference, each with the number of independent samples behind it."""
    if one and other and (paired := _paired(one, other)):
        mine, theirs = paired
        shares = one.coefficient * mine.values - other.coefficient * theirs.values
        sums = np.bincount(mine.clusters, weights=shares)
        count = len(sums)
        return [(float((sums**2).sum()) * count / (count - 1) / len(shares) ** 2, count)] if count > 1 else []
    return [
        ((part.coefficient * part.stderr) ** 2, part.n)
        for part in (one, other)
        if part is not None and part.stderr is not None
    ]
