"""Whether the data tell two runs apart: paired over samples where both had the same ones."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from harness.store.values import SampleErrors

__all__ = ["Part", "RunParts", "difference_p"]


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
    differ by the same, p is that of the sign test.
    """
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


def _variances(one: Part | None, other: Part | None) -> Sequence[tuple[float, int]]:
    """Variances of a part's share in the difference, each with the number of independent samples behind it."""
    if one and other and one.errors and other.errors and one.errors.samples_sha256 == other.errors.samples_sha256:
        shares = one.coefficient * one.errors.values - other.coefficient * other.errors.values
        sums = np.bincount(one.errors.clusters, weights=shares)
        count = len(sums)
        return [(float((sums**2).sum()) * count / (count - 1) / len(shares) ** 2, count)] if count > 1 else []
    return [
        ((part.coefficient * part.stderr) ** 2, part.n)
        for part in (one, other)
        if part is not None and part.stderr is not None
    ]
