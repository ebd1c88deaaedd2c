"""A rate of decisions in each group: who counts for it, who is left out, and how surely it is known."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from harness.core import statistics
from harness.core.scores import Score
from harness.core.statistics import Interval

__all__ = ["RATES", "Cell", "RateByGroup", "rate_by_group"]

_MOST_DEGREES = 1e9

Flags = NDArray[np.bool_]
Values = NDArray[np.float64]

RATES: Mapping[str, Callable[[Flags, Values], tuple[Flags, Values]]] = {
    "accuracy": lambda gold, accepted: (np.ones_like(gold), (gold == accepted).astype(float)),
    "selection_rate": lambda gold, accepted: (np.ones_like(gold), accepted),
    "mean_prediction": lambda gold, probability: (np.ones_like(gold), probability),
    "true_positive_rate": lambda gold, accepted: (gold, accepted),
    "false_positive_rate": lambda gold, accepted: (~gold, accepted),
}
"""From gold labels and decisions (1 or 0, or a probability): which samples a rate counts, and what it averages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """The samples of a group that a rate counts: what it averages, from 0 to 1, and what samples share."""

    rows: NDArray[np.intp]
    values: Values
    clusters: list[str | None]

    def interval(self, confidence: float, degrees: float | None = None) -> Interval:
        """Their mean; with `degrees` of freedom of a comparison with others, which has more of them than the mean."""
        own = self.degrees
        if degrees is not None and math.isfinite(own) and own > 0:
            quantile = float(special.stdtrit(float(min(degrees, _MOST_DEGREES)), statistics.upper_tail(confidence)))
            confidence = 2 * float(special.stdtr(own, quantile)) - 1
        return statistics.bounded_mean(self.values.tolist(), self.clusters, confidence)

    @property
    def degrees(self) -> float:
        """The degrees of freedom of its mean's interval: infinite for a share of samples that stand alone."""
        clusters = len({str(place) if name is None else f"shared:{name}" for place, name in enumerate(self.clusters)})
        if clusters < len(self.values) or not np.isin(self.values, [0.0, 1.0]).all():
            return clusters - 1.0
        return math.inf

    @property
    def design_effect(self) -> float:
        """How much larger the variance of their mean is than that of samples that share nothing; at least 1."""
        plain, clustered = (statistics.mean(self.values.tolist(), shared).stderr for shared in (None, self.clusters))
        return max(1.0, (clustered / plain) ** 2) if plain and clustered else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RateByGroup:
    """One rate: the cells of the groups that are large enough, by name, and the sizes of all others."""

    rate: str
    cells: Mapping[str, Cell]
    left_out: Mapping[str, int]

    def values(self) -> Values:
        """The rate of each group that is kept."""
        return np.array([cell.values.mean() for cell in self.cells.values()])

    def weighted(self, weights: NDArray[np.intp]) -> Values:
        """The rate of each group that is kept, where samples count so often; NaN where none of a group does."""
        sizes = np.array([weights[cell.rows].sum() for cell in self.cells.values()], dtype=float)
        sums = np.array([weights[cell.rows] @ cell.values for cell in self.cells.values()])
        return np.asarray(np.divide(sums, sizes, out=np.full(len(sizes), np.nan), where=sizes > 0))

    def intervals(self, confidence: float) -> list[Interval]:
        """Of each group, for comparisons of pairs: Welch's degrees of freedom, of those that are equally uncertain."""
        degrees = sum(sorted(cell.degrees for cell in self.cells.values())[:2])
        return [cell.interval(confidence, degrees) for cell in self.cells.values()]

    def shuffled(self, generator: np.random.Generator) -> Values:
        """Rates of the groups, of shape (draws, groups), whose samples are dealt out to them anew.

        Of samples that share a cluster they scatter as much more as the clusters make the rates uncertain.
        """
        means = statistics.shuffled_means([cell.values for cell in self.cells.values()], generator)
        pooled = np.concatenate([cell.values for cell in self.cells.values()]).mean()
        scale = [cell.design_effect**0.5 for cell in self.cells.values()]
        return np.asarray(np.clip(pooled + (means - pooled) * scale, 0, 1))

    def counts(self) -> str:
        """All groups and their sizes, in words."""
        sizes = {**{name: len(cell.values) for name, cell in self.cells.items()}, **self.left_out}
        return ", ".join(f"{name}: {size}" for name, size in sorted(sizes.items()))


def rate_by_group(
    rate: str, scores: Sequence[Score], gold: Flags, decisions: Values, *, attribute: str, smallest: int
) -> RateByGroup:
    """One of `RATES` in the groups of an attribute; groups in alphabetical order, those below `smallest` left out."""
    counted, values = RATES[rate](gold, decisions)
    groups = np.array([score.groups[attribute] for score in scores])
    rows = {str(name): np.flatnonzero(counted & (groups == name)) for name in np.unique(groups)}
    return RateByGroup(
        rate=rate,
        cells={
            name: Cell(rows=chosen, values=values[chosen], clusters=[scores[int(row)].cluster for row in chosen])
            for name, chosen in rows.items()
            if len(chosen) >= smallest
        },
        left_out={name: len(chosen) for name, chosen in rows.items() if len(chosen) < smallest},
    )
