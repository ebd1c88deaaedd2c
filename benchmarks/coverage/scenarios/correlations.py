"""Correlations of numbers with people's, and effect sizes of associations."""

from collections.abc import Sequence
from math import asin, pi, sqrt

import numpy as np

from benchmarks.coverage.scenario import Generator, Scenario, cluster_names, shared_normal
from harness.core.scores import Score
from harness.metrics.correlation import PEARSON, SPEARMAN, Correlation
from suites.fairness.association import EFFECT_SIZE, FIRST, SECOND


def _correlated(metric: Correlation, truth: float, of_normals: float) -> Scenario:
    """Two normal numbers of the correlation `of_normals`."""

    def draw(generator: Generator, n: int, clustered: bool) -> Sequence[Score]:
        one, other = shared_normal(generator, n, clustered, columns=2).T
        mixed = of_normals * one + sqrt(1 - of_normals**2) * other
        return [
            Score(sample_id=str(i), metric=metric.name, gold=repr(x), predicted=repr(y), cluster=cluster)
            for i, (x, y, cluster) in enumerate(
                zip(one.tolist(), mixed.tolist(), cluster_names(n, clustered), strict=True)
            )
        ]

    return Scenario(metric=metric, name="normal numbers", draw=draw, truth=truth)


def _rank(of_normals: float) -> float:
    """Spearman's correlation of two normal numbers (Pearson, 1907)."""
    return 6 / pi * asin(of_normals / 2)


def _effect(within: float) -> Scenario:
    """Two groups of as many words, whose means lie `within` deviations apart."""

    def draw(generator: Generator, n: int, clustered: bool) -> Sequence[Score]:  # noqa: ARG001
        is_first = np.arange(n) < n // 2
        values = generator.standard_normal(n) + within * is_first
        return [
            Score(
                sample_id=str(word),
                metric=EFFECT_SIZE.name,
                value=value,
                gold=FIRST if first else SECOND,
                cluster=f"word {word}",
            )
            for word, (value, first) in enumerate(zip(values.tolist(), is_first.tolist(), strict=True))
        ]

    return Scenario(
        metric=EFFECT_SIZE,
        name=f"groups {within:g} apart",
        draw=draw,
        truth=within / sqrt(1 + within**2 / 4),
        sizes=(16, 30, 100),
        clustered=(False,),
        draws=500,
    )


SCENARIOS = (
    *(_correlated(PEARSON, of_normals, of_normals) for of_normals in (0.0, 0.5, 0.9)),
    *(_correlated(SPEARMAN, _rank(of_normals), of_normals) for of_normals in (0.0, 0.5, 0.9)),
    *(_effect(within) for within in (0.0, 0.8, 2.0)),
)
