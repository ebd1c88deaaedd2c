"""What is simulated: a metric, a way to draw scores, and the value that an interval has to cover."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from harness.core.metrics import Metric
from harness.core.scores import Score

__all__ = ["CLUSTER_SIZE", "SIZES", "PairScenario", "Scenario", "cluster_names", "scores_of", "shared_normal"]

SIZES = (30, 100, 400)

CLUSTER_SIZE = 4
"""Samples of a cluster in the clustered runs: 30 samples are 8 clusters."""

Generator: TypeAlias = np.random.Generator


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Scores of one run. `draw(generator, n, clustered)` gives n of them, `truth` is what n without end would give.

    Clustered scores share a `cluster` and depend on each other within it. `edge` says why an interval can't help
    covering too often here: the truth lies at an end of the range, or a count so near it that no end can miss. Such a
    scenario may cover more than the bounds allow, never less. `draws` limits the draws of a slow metric.
    """

    metric: Metric
    name: str
    draw: Callable[[Generator, int, bool], Sequence[Score]]
    truth: float
    sizes: tuple[int, ...] = SIZES
    clustered: tuple[bool, ...] = (False, True)
    edge: str = ""
    draws: int | None = None


@dataclass(frozen=True, kw_only=True)
class PairScenario:
    """Scores of the same samples in two runs, of which the second's metric lies above the first's by `truth`.

    For the gate: with the margin just at the truth, a verdict either way is false. Otherwise as in `Scenario`.
    """

    metric: Metric
    name: str
    draw: Callable[[Generator, int, bool], tuple[Sequence[Score], Sequence[Score]]]
    truth: float
    sizes: tuple[int, ...] = SIZES
    clustered: tuple[bool, ...] = (False, True)
    edge: str = ""
    draws: int | None = None


def cluster_names(n: int, clustered: bool) -> list[str | None]:
    """The cluster of each of n samples; None for samples that stand alone."""
    return [f"cluster {index // CLUSTER_SIZE}" if clustered else None for index in range(n)]


def shared_normal(
    generator: Generator, n: int, clustered: bool, *, correlation: float = 0.3, columns: int = 1
) -> NDArray[np.float64]:
    """Standard normal numbers of shape (n, columns), of that correlation within a cluster where samples are clustered.

    Put through the normal distribution function they are uniform, and through a quantile function whatever is wanted,
    so that a clustered sample has the same truth as a plain one.
    """
    own = generator.standard_normal((n, columns))
    if not clustered:
        return own
    shared = generator.standard_normal((-(-n // CLUSTER_SIZE), columns)).repeat(CLUSTER_SIZE, axis=0)[:n]
    return np.asarray(np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own, dtype=float)


def scores_of(
    metric: Metric, values: NDArray[np.float64], clustered: bool, weights: NDArray[np.float64] | None = None
) -> list[Score]:
    """Scores with these values, one a sample."""
    of_sample = np.ones(len(values)) if weights is None else weights
    return [
        Score(sample_id=str(index), metric=metric.name, value=value, weight=weight, cluster=cluster)
        for index, (value, weight, cluster) in enumerate(
            zip(values.tolist(), of_sample.tolist(), cluster_names(len(values), clustered), strict=True)
        )
    ]
