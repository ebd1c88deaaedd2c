"""Shares of zeros and ones."""

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr

from benchmarks.coverage.scenario import Generator, Scenario, scores_of, shared_normal
from harness.core.scores import Score
from harness.metrics.standard import ACC

RARE = "so few ones or zeros that no end can lie within the truth"


def _share(truth: float, edge: str = "") -> Scenario:
    def draw(generator: Generator, n: int, clustered: bool) -> Sequence[Score]:
        right = ndtr(shared_normal(generator, n, clustered)[:, 0]) < truth
        return scores_of(ACC, right.astype(np.float64), clustered)

    return Scenario(metric=ACC, name=f"share {truth:g}", draw=draw, truth=truth, edge=edge)


SCENARIOS = (_share(0.02, RARE), _share(0.1, RARE), _share(0.5), _share(0.8), _share(0.98, RARE), _share(1.0, RARE))
