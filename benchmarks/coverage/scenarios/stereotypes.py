"""Preferences between sentences, averaged over terms, at and beside the kink of icat where ss is 50."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from benchmarks.coverage.scenario import Generator, PairScenario, Scenario, cluster_names, shared_normal
from harness.core.metrics import Metric
from harness.core.scores import Score
from suites.fairness.stereoset import ICAT, LMS, SS
from suites.fairness.winobias import OCCUPATION_CORRELATION, PRO_STEREOTYPE, WOMEN_PERCENT

KINK = "near ss = 50 no lower end can miss"
WORST = "the ends hold for either of the two products"


def _scores(
    metric: Metric, shares: NDArray[np.float64], clustered: bool, stereotyped: float, lms: float
) -> list[Score]:
    """From uniform numbers of shape (n, 3): the preference, and whether each meaningful sentence beats the other."""
    value = (shares[:, 0] < stereotyped).astype(float)
    weight = (shares[:, 1:] < lms).mean(axis=1)
    names = cluster_names(len(shares), clustered)
    return [
        Score(
            sample_id=str(place),
            metric=metric.name,
            value=float(value[place]),
            weight=float(weight[place]),
            cluster=names[place],
        )
        for place in range(len(shares))
    ]


def _uniform(generator: Generator, n: int, clustered: bool) -> NDArray[np.float64]:
    return np.asarray(ndtr(shared_normal(generator, n, clustered, columns=3)))


def _one(metric: Metric, stereotyped: float, lms: float, truth: float, edge: str = "") -> Scenario:
    def draw(generator: Generator, n: int, clustered: bool) -> Sequence[Score]:
        return _scores(metric, _uniform(generator, n, clustered), clustered, stereotyped, lms)

    return Scenario(metric=metric, name=f"ss {stereotyped:.0%}, lms {lms:.0%}", draw=draw, truth=truth, edge=edge)


def _icat(stereotyped: float, lms: float) -> float:
    return 200 * lms * min(stereotyped, 1 - stereotyped)


def _pair(before: tuple[float, float], after: tuple[float, float], *, shared: float, edge: str = "") -> PairScenario:
    """Two runs of the same sentences, whose numbers go together by `shared`."""

    def draw(generator: Generator, n: int, clustered: bool) -> tuple[Sequence[Score], Sequence[Score]]:
        common = shared_normal(generator, n, clustered, columns=3)
        runs = []
        for stereotyped, lms in (before, after):
            own = shared_normal(generator, n, clustered, columns=3)
            uniform = ndtr(np.sqrt(shared) * common + np.sqrt(1 - shared) * own)
            runs.append(_scores(ICAT, uniform, clustered, stereotyped, lms))
        return runs[0], runs[1]

    return PairScenario(
        metric=ICAT,
        name=f"ss, lms {before[0]:.0%}, {before[1]:.0%} to {after[0]:.0%}, {after[1]:.0%}, alike by {shared:g}",
        draw=draw,
        truth=_icat(*after) - _icat(*before),
        edge=edge,
    )


def _occupations(slope: float) -> Scenario:
    """Log-odds that follow the share of women with that slope, and noise: all 40 occupations, whatever n is."""
    women = np.array(list(WOMEN_PERCENT.values()), dtype=float)
    spread = (women - women.mean()) / women.std()
    truth = slope / float(np.sqrt(1 + slope**2))

    def draw(generator: Generator, n: int, clustered: bool) -> Sequence[Score]:  # noqa: ARG001
        names = list(WOMEN_PERCENT)
        odds = slope * spread + generator.standard_normal(len(names))
        return [
            Score(sample_id=name, metric=OCCUPATION_CORRELATION.name, value=float(value), groups={"occupation": name})
            for name, value in zip(names, odds, strict=True)
        ]

    return Scenario(
        metric=OCCUPATION_CORRELATION,
        name=f"40 occupations, {truth:.2f}",
        draw=draw,
        truth=truth,
        sizes=(400,),
        clustered=(False,),
        edge="the shares of women are fixed, for which Fisher's transform is on the safe side" if slope else "",
    )


SCENARIOS = (
    _occupations(0.0),
    _occupations(0.75),
    _one(SS, 0.5, 0.8, 50.0),
    _one(SS, 0.65, 0.8, 65.0),
    _one(LMS, 0.9, 0.9, 90.0, "so few meaningless sentences win that an end can hardly miss"),
    _one(PRO_STEREOTYPE, 0.6, 0.9, 60.0),
    *(
        _one(ICAT, ss, lms, _icat(ss, lms), edge)
        for ss, lms, edge in (
            (0.5, 0.5, ""),
            (0.5, 0.8, KINK),
            (0.52, 0.8, KINK),
            (0.6, 0.9, KINK),
            (0.7, 0.9, ""),
            (0.95, 0.99, "few keep an end from missing"),
        )
    ),
    _pair((0.5, 0.8), (0.5, 0.8), shared=0.9, edge=KINK),
    _pair((0.5, 0.8), (0.55, 0.8), shared=0.9, edge=KINK),
    _pair((0.55, 0.8), (0.5, 0.8), shared=0.9, edge=KINK),
    _pair((0.6, 0.8), (0.65, 0.75), shared=0.9, edge=WORST),
    _pair((0.5, 0.8), (0.5, 0.7), shared=0.5, edge=KINK),
)
