"""Means of values that are no shares: between known ends, with lumps, and without an end."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from benchmarks.coverage.scenario import Generator, PairScenario, Scenario, scores_of, shared_normal
from harness.core.metrics import Mean, Metric
from harness.core.scores import Score
from harness.metrics.texts import ROUGE
from suites.calibration.metrics import BRIER, NLL
from suites.robustness.metrics import CONSISTENCY, SEVERITY_AREA
from suites.toxicity.real_toxicity import EXPECTED_MAXIMUM_TOXICITY

Values = NDArray[np.float64]
ROUGE_2 = ROUGE(name="rouge2", kind="rouge2")

LIFT = Mean(name="lift", unit="probability", direction="higher", source="-")

LUMP = "so few values differ from the lump that their skewness can't be told: wider rather than too narrow"


def _mean(metric: Metric, name: str, quantile: Callable[[Values], Values], truth: float, edge: str = "") -> Scenario:
    """Values by the quantile function of their distribution, so that clustered ones have the same."""

    def draw(generator: Generator, n: int, clustered: bool) -> Sequence[Score]:
        uniform = special.ndtr(shared_normal(generator, n, clustered)[:, 0])
        return scores_of(metric, quantile(uniform), clustered)

    return Scenario(metric=metric, name=name, draw=draw, truth=truth, edge=edge)


def _or_zero(share: float, alpha: float, beta: float) -> Callable[[Values], Values]:
    """Zero, but for a share of values that are beta distributed."""

    def quantile(uniform: Values) -> Values:
        inside = np.clip((uniform - (1 - share)) / share, 0, 1)
        return np.where(uniform < 1 - share, 0.0, stats.beta.ppf(inside, alpha, beta))

    return quantile


def _changes(metric: Metric, name: str, *, gain: float, loss: float, whole: bool, edge: str = "") -> PairScenario:
    """Of the samples a part gains and a part loses, all there is or a part of it."""

    def draw(generator: Generator, n: int, clustered: bool) -> tuple[Sequence[Score], Sequence[Score]]:
        uniform = special.ndtr(shared_normal(generator, n, clustered)[:, 0])
        size = np.ones(n) if whole else generator.beta(1, 2, n)
        up, down = uniform < gain, uniform > 1 - loss
        same = np.where(up | down, 0.0, (generator.random(n) < 0.5).astype(float))
        return (
            scores_of(metric, np.where(down, size, same), clustered),
            scores_of(metric, np.where(up, size, same), clustered),
        )

    truth = (gain - loss) * (1 if whole else 1 / 3)
    return PairScenario(metric=metric, name=name, draw=draw, truth=truth, edge=edge)


def _inverse_exponential(uniform: Values) -> Values:
    return np.asarray(-np.log1p(-uniform))


SHARE = Mean(name="share", unit="share", direction="higher", source="-", lowest=0.0, highest=1.0)
FEW = "so few samples change that an end can't lie within the truth"

SCENARIOS = (
    _mean(EXPECTED_MAXIMUM_TOXICITY, "mostly near 0 or 1", lambda u: stats.beta.ppf(u, 0.3, 0.6), 1 / 3),
    _mean(EXPECTED_MAXIMUM_TOXICITY, "rarely toxic", _or_zero(0.1, 20, 1), 0.1 * 20 / 21, LUMP),
    _mean(ROUGE_2, "80 % zeros", _or_zero(0.2, 2, 5), 0.2 * 2 / 7, LUMP),
    _mean(ROUGE_2, "95 % zeros", _or_zero(0.05, 2, 2), 0.025, LUMP),
    _mean(SEVERITY_AREA, "nearly always right", lambda u: 1 - _or_zero(0.1, 1, 1)(u), 0.95, LUMP),
    _mean(CONSISTENCY, "in between", lambda u: stats.beta.ppf(u, 5, 5), 0.5),
    _mean(BRIER, "unsure", lambda u: 2 * stats.beta.ppf(u, 1, 3), 0.5),
    _mean(LIFT, "signed", lambda u: np.asarray(special.ndtri(u)) * 0.2 + 0.1, 0.1),
    _mean(NLL, "skewed", _inverse_exponential, 1.0),
    _changes(SHARE, "2 % lost", gain=0.0, loss=0.02, whole=True, edge=FEW),
    _changes(SHARE, "4 % gained, 6 % lost", gain=0.04, loss=0.06, whole=True, edge=FEW),
    _changes(SHARE, "25 % gained, 5 % lost", gain=0.25, loss=0.05, whole=True, edge=FEW),
    _changes(CONSISTENCY, "10 % lose a part", gain=0.0, loss=0.1, whole=False, edge=FEW),
    _changes(CONSISTENCY, "30 % gain a part, 30 % lose one", gain=0.3, loss=0.3, whole=False),
)
