"""What noise takes away: ratios of the same questions with and without it."""

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr

from benchmarks.coverage.scenario import Generator, PairScenario, Scenario, shared_normal
from harness.core.scores import Score
from suites.robustness.metrics import RELATIVE_DROP

VARIANTS = 5


def _scores(
    generator: Generator, ease: np.ndarray, clean_share: float, fragile: float, loss: float, gain: float
) -> list[Score]:
    """Questions of which a part is right; `fragile` of those lose each variant with the chance `loss`."""
    right = ease < clean_share
    is_fragile = right & (generator.random(len(ease)) < fragile)
    chance = np.where(right, 1 - loss * is_fragile, gain)
    noisy = generator.random((VARIANTS, len(ease))) < chance
    return [
        Score(
            sample_id=str(index),
            metric=RELATIVE_DROP.name,
            value=float(value),
            weight=float(right[index]),
            cluster=f"sample {index}",
        )
        for index in range(len(ease))
        for value in noisy[:, index]
    ]


def _drop(name: str, clean_share: float, fragile: float, loss: float, gain: float, edge: str = "") -> Scenario:
    def draw(generator: Generator, n: int, clustered: bool) -> Sequence[Score]:  # noqa: ARG001
        ease = ndtr(shared_normal(generator, n, False)[:, 0])
        return _scores(generator, ease, clean_share, fragile, loss, gain)

    truth = fragile * loss - gain * (1 - clean_share) / clean_share
    return Scenario(metric=RELATIVE_DROP, name=name, draw=draw, truth=truth, clustered=(True,), edge=edge)


def _second_run(name: str, clean_share: float, fragile: float, loss: float, more: float) -> PairScenario:
    def draw(generator: Generator, n: int, clustered: bool) -> tuple[Sequence[Score], Sequence[Score]]:  # noqa: ARG001
        ease = ndtr(shared_normal(generator, n, False)[:, 0])
        seed = int(generator.integers(2**63))
        one, other = (np.random.default_rng(seed) for _ in range(2))
        return (
            _scores(one, ease, clean_share, fragile, loss, 0.0),
            _scores(other, ease, clean_share, fragile + more, loss, 0.0),
        )

    return PairScenario(metric=RELATIVE_DROP, name=name, draw=draw, truth=more * loss, clustered=(True,), edge=CHANGED)


CHANGED = "a handful of changed questions: what lies unseen is allowed for"
FEW = "so few questions are fragile that a sample may hold none"

SCENARIOS = (
    _drop("5 % fragile", 0.5, 0.05, 0.8, 0.0, FEW),
    _drop("2 % fragile, all of which fall", 0.6, 0.02, 1.0, 0.0, FEW),
    _drop("30 % fragile", 0.6, 0.3, 0.5, 0.02),
    _drop("noise helps as often as it harms", 0.5, 0.2, 0.5, 0.1),
    _second_run("5 % more are fragile in the second run", 0.6, 0.1, 0.8, 0.05),
    _second_run("10 % more are fragile in the second run", 0.6, 0.3, 0.5, 0.1),
)
