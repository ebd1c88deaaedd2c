"""Statistics that are functions of sums over samples, so that many resamples cost one product of matrices."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

__all__ = ["Statistic", "Sums", "mean_of", "ratio_of"]

Statistic = Callable[[NDArray[np.intp]], float]
"""The value on the samples of these indices, which may repeat; NaN where it is undefined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """A `Statistic` that is `of` the sums over samples of `parts`.

    `parts` has the shape (samples, k); `of` gets sums of shape (resamples, k) and gives one value a resample.
    Of a plain mean, `values` are what it is the mean of, in parts of `scale`: 100 for a percentage. Of a function of
    the first sum over the second, `slope` is its derivative at such a ratio.
    """

    parts: NDArray[np.float64]
    of: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    values: NDArray[np.float64] | None = None
    scale: float = 1.0
    slope: Callable[[float], float] | None = None

    def __call__(self, rows: NDArray[np.intp]) -> float:
        """The value for these rows, drawn with repeats."""
        return float(self.of(self.parts[rows].sum(axis=0)[None, :])[0])


def mean_of(values: NDArray[np.float64], scale: float = 1.0) -> Sums:
    """`scale` times the mean of values, one a sample."""
    return replace(ratio_of(scale * values, np.ones(len(values))), values=values, scale=scale)


def ratio_of(
    numerators: NDArray[np.float64],
    denominators: NDArray[np.float64],
    transform: Callable[[NDArray[np.float64]], NDArray[np.float64]] = lambda ratio: ratio,
    slope: Callable[[float], float] = lambda _ratio: 1.0,
) -> Sums:
    """`transform` of a sum over a sum, and its derivative; NaN where the second sum is 0."""

    def of(sums: NDArray[np.float64]) -> NDArray[np.float64]:
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            ratio = transform(np.where(sums[:, 1] == 0, np.nan, sums[:, 0] / sums[:, 1]))
        return np.asarray(np.where(np.isfinite(ratio), ratio, np.nan), dtype=float)

    return Sums(parts=np.column_stack([numerators, denominators]).astype(float), of=of, slope=slope)
