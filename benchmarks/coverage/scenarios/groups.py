"""How decisions differ between groups, at equal and unequal rates, of two and of many groups."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from benchmarks.coverage.scenario import (
    CLUSTER_SIZE,
    SIZES,
    Generator,
    PairScenario,
    Scenario,
    cluster_names,
    shared_normal,
)
from harness.core.metrics import Metric
from harness.core.scores import Score
from suites.fairness.groups.disparities import disparity_metrics
from suites.fairness.groups.task import group_metrics

EQUAL = "no group differs: the upper end can't miss"
CALIBRATION = "calibration_error"
FEW = "so near 0, or of so few clusters, that an end can hardly miss"
MANY = "over several groups the ends hold for the worst case"

_SMALLEST = 5
"""Groups may be that small here, so that 30 samples of several groups are looked at, too."""

_METRICS = {one.name: one for one in disparity_metrics("group", positive="yes", smallest_group=_SMALLEST)}


@dataclass(frozen=True, kw_only=True)
class Rates:
    """How often each group is accepted, among its positive and among its negative samples."""

    positive: Sequence[float]
    negative: Sequence[float]

    @property
    def overall(self) -> NDArray[np.float64]:
        """Half of the samples are positive."""
        return np.asarray((np.array(self.positive) + self.negative) / 2)

    @property
    def right(self) -> NDArray[np.float64]:
        """The accuracy of each group."""
        return np.asarray((np.array(self.positive) + 1 - np.array(self.negative)) / 2)


def same(*rates: float) -> Rates:
    """Of a model that doesn't look at the gold label."""
    return Rates(positive=rates, negative=rates)


def decisions(
    metric: Metric, generator: Generator, n: int, clustered: bool, *runs: Rates, shared: float = 0.0
) -> list[list[Score]]:
    """Scores of one run or several of the same samples; decisions of two runs go together by `shared`.

    A cluster lies in one group, every other sample is positive.
    """
    count = len(runs[0].positive)
    places = np.arange(n)
    group = (places // CLUSTER_SIZE if clustered else places) % count
    gold = (places // (1 if clustered else count)) % 2 == 0
    names = cluster_names(n, clustered)
    common = shared_normal(generator, n, clustered)[:, 0]
    found = []
    for rates in runs:
        own = shared_normal(generator, n, clustered)[:, 0]
        chance = ndtr(np.sqrt(shared) * common + np.sqrt(1 - shared) * own)
        accepted = chance < np.where(gold, np.array(rates.positive)[group], np.array(rates.negative)[group])
        found.append(
            [
                Score(
                    sample_id=str(place),
                    metric=metric.name,
                    value=float(accepted[place]),
                    gold=("no", "yes")[int(gold[place])],
                    predicted=("no", "yes")[int(accepted[place])],
                    cluster=names[place],
                    groups={"group": str(group[place])},
                )
                for place in range(n)
            ]
        )
    return found


def _truth(name: str, rates: Rates) -> float:
    gaps = [np.ptp(rates.positive), np.ptp(rates.negative)]
    ratios = [min(one) / max(one) for one in (rates.positive, rates.negative)]
    return float(
        {
            "demographic_parity_difference_group": np.ptp(rates.overall),
            "demographic_parity_ratio_group": rates.overall.min() / rates.overall.max(),
            "equalized_odds_difference_group": max(gaps),
            "equalized_odds_ratio_group": min(ratios),
            "equal_opportunity_difference_group": gaps[0],
            "worst_group_acc_group": rates.right.min(),
        }[name]
    )


def _scenario(kind: str, name: str, rates: Rates, edge: str = "", sizes: tuple[int, ...] = SIZES) -> Scenario:
    metric = _METRICS[f"{kind}_group"]

    def draw(generator: Generator, n: int, clustered: bool) -> Sequence[Score]:
        return decisions(metric, generator, n, clustered, rates)[0]

    return Scenario(metric=metric, name=name, draw=draw, truth=_truth(metric.name, rates), edge=edge, sizes=sizes)


def _worst_group(before: Rates, after: Rates, *, shared: float) -> PairScenario:
    metric = _METRICS["worst_group_acc_group"]

    def draw(generator: Generator, n: int, clustered: bool) -> tuple[Sequence[Score], Sequence[Score]]:
        first, second = decisions(metric, generator, n, clustered, before, after, shared=shared)
        return first, second

    return PairScenario(
        metric=metric,
        name=f"{before.right.min():g} to {after.right.min():g}, alike by {shared:g}",
        draw=draw,
        truth=float(after.right.min() - before.right.min()),
        edge=MANY,
    )


def _likelihoods(name: str, means: Sequence[float], edge: str) -> Scenario:
    """Probabilities of the positive label that scatter by up to 0.3 around the mean of their group."""
    metric = _METRICS["mean_prediction_difference_group"]

    def draw(generator: Generator, n: int, clustered: bool) -> Sequence[Score]:
        likely = np.array(means) + 0.6 * (ndtr(shared_normal(generator, n, clustered)) - 0.5)
        drawn = decisions(metric, generator, n, clustered, same(*means))[0]
        return [
            replace(score, value=float(likely[place, int(score.groups["group"])])) for place, score in enumerate(drawn)
        ]

    return Scenario(metric=metric, name=name, draw=draw, truth=float(np.ptp(means)), edge=edge)


def _calibration(name: str, off: float, edge: str = "") -> Scenario:
    """Probabilities between 0.2 and 0.8, which lie `off` above how often the label is positive."""
    metric = next(one for one in group_metrics(["group"], positive="yes", base_rate=0.5) if one.name == CALIBRATION)

    def draw(generator: Generator, n: int, clustered: bool) -> Sequence[Score]:
        drawn = ndtr(shared_normal(generator, n, clustered, columns=2))
        probability = 0.2 + 0.6 * drawn[:, 0]
        positive = drawn[:, 1] < probability - off
        return [
            Score(
                sample_id=str(place),
                metric=metric.name,
                value=float(probability[place]),
                gold=("no", "yes")[int(positive[place])],
                cluster=cluster,
            )
            for place, cluster in enumerate(cluster_names(n, clustered))
        ]

    return Scenario(metric=metric, name=name, draw=draw, truth=off, edge=edge)


UNSIMULATED = {
    "GroupDifference": "the largest over groups has no interval, but what chance alone gives beside it",
    "DifferingGroups": "a count of tests, without an interval; tests/suites/test_counterfactual.py counts false alarms",
}

SCENARIOS = (
    _likelihoods("2 groups, 0", (0.4, 0.4), EQUAL),
    _likelihoods("2 groups, 0.1", (0.4, 0.5), FEW),
    _scenario("demographic_parity_difference", "2 groups, 0", same(0.3, 0.3), EQUAL),
    _scenario("demographic_parity_difference", "2 groups, 0.1", same(0.4, 0.5), FEW),
    _scenario("demographic_parity_difference", "2 groups, 0.3", same(0.3, 0.6), FEW),
    _scenario("demographic_parity_difference", "2 groups, few accepted", same(0.02, 0.12), FEW),
    _scenario("demographic_parity_difference", "4 groups, 0", same(*[0.3] * 4), EQUAL),
    _scenario("demographic_parity_difference", "4 groups, one apart", same(0.3, 0.3, 0.3, 0.6), MANY),
    _scenario("demographic_parity_difference", "10 groups, 0", same(*[0.3] * 10), EQUAL, sizes=(100, 400)),
    _scenario("demographic_parity_ratio", "2 groups, 0.8", same(0.4, 0.5), FEW),
    _scenario("demographic_parity_ratio", "4 groups, 1", same(*[0.3] * 4), EQUAL),
    _scenario("equalized_odds_difference", "2 groups, 0.1", Rates(positive=(0.6, 0.7), negative=(0.2, 0.3)), MANY),
    _scenario(
        "equalized_odds_difference",
        "4 groups, 0",
        Rates(positive=[0.6] * 4, negative=[0.3] * 4),
        EQUAL,
        sizes=(100, 400),
    ),
    _scenario("equalized_odds_ratio", "2 groups, 0.5", Rates(positive=(0.6, 0.7), negative=(0.15, 0.3)), MANY),
    _scenario("equal_opportunity_difference", "2 groups, 0.2", Rates(positive=(0.5, 0.7), negative=(0.2, 0.2)), FEW),
    _scenario("worst_group_acc", "2 groups, 0.6", Rates(positive=(0.6, 0.8), negative=(0.4, 0.2)), MANY),
    _scenario("worst_group_acc", "4 groups alike", Rates(positive=[0.7] * 4, negative=[0.3] * 4), MANY),
    _worst_group(same(0.3, 0.3), same(0.3, 0.3), shared=0.8),
    _worst_group(
        Rates(positive=(0.8, 0.8), negative=(0.2, 0.2)), Rates(positive=(0.7, 0.8), negative=(0.2, 0.2)), shared=0.8
    ),
    _calibration("never off", 0.0, "the truth is 0: no upper end can lie within it"),
    _calibration("0.15 off", 0.15),
)
