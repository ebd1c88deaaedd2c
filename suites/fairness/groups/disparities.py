"""How decisions and errors differ between groups: fairlearn's metrics, with errors and a smallest cell."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from harness.core import statistics
from harness.core.metrics import Metric, Undefined
from harness.core.scores import Score
from harness.core.statistics import Difference, Interval
from suites.fairness.groups.disparity import Disparity, Levels, pair_intervals
from suites.fairness.groups.paired_rates import PairedCells
from suites.fairness.groups.rates import RateByGroup

__all__ = [
    "DemographicParityDifference",
    "DemographicParityRatio",
    "EqualOpportunityDifference",
    "EqualizedOddsDifference",
    "EqualizedOddsRatio",
    "MeanPredictionDifference",
    "WorstGroupAccuracy",
    "disparity_metrics",
]

FAIRLEARN = "as in fairlearn (Weerts et al., 2023)"
HARDT = "Hardt, Price and Srebro (2016), Equality of Opportunity in Supervised Learning, NeurIPS"
DWORK = "Dwork, Hardt, Pitassi, Reingold and Zemel (2012), Fairness Through Awareness, ITCS"

Values = NDArray[np.float64]


class _Difference(Disparity):
    """Largest less smallest rate."""

    @override
    def compare(self, rates: Values) -> Values:
        return np.asarray(rates.max(axis=1) - rates.min(axis=1))

    @override
    def ends(self, found: RateByGroup, levels: Levels, *, alone: bool) -> Interval:
        singly = found.intervals(levels.single_confidence())
        rates = found.values()
        most, least = int(np.argmax(rates)), int(np.argmin(rates))
        low, high = statistics.pairwise_differences(singly)
        together = pair_intervals(found, levels, float(low[most, least]), alone=alone)
        return Interval(
            value=float(rates[most] - rates[least]),
            stderr=float(np.hypot(singly[most].stderr or 0.0, singly[least].stderr or 0.0)),
            low=float(statistics.pairwise_differences(together)[0].max()),
            high=float(high.max()),
            method="Newcombe",
        )

    @override
    def change(self, cells: PairedCells, confidence: float) -> Difference:
        return cells.change_of_largest_gap(confidence)


class _Ratio(Disparity):
    """Smallest over largest rate."""

    grows_by_chance = False

    @override
    def compare(self, rates: Values) -> Values:
        most = rates.max(axis=1)
        return np.asarray(np.divide(rates.min(axis=1), most, out=np.full(len(rates), np.nan), where=most > 0))

    @override
    def ends(self, found: RateByGroup, levels: Levels, *, alone: bool) -> Interval:
        singly = found.intervals(levels.single_confidence())
        rates = found.values()
        most, least = int(np.argmax(rates)), int(np.argmin(rates))
        gap = statistics.pairwise_differences(singly)[0]
        together = pair_intervals(found, levels, float(gap[most, least]), alone=alone)
        value = float(rates[least] / rates[most])
        errors = [(singly[one].stderr or 0.0) for one in (least, most)]
        return Interval(
            value=value,
            stderr=float(np.hypot(errors[0], value * errors[1]) / rates[most]),
            low=float(statistics.pairwise_ratios(singly)[0].min()),
            high=float(statistics.pairwise_ratios(together)[1].min()),
            method="MOVER",
        )

    @override
    def extreme(self, values: Sequence[Values]) -> Values:
        """The smallest."""
        return np.asarray(np.minimum.reduce(list(values)), dtype=float)

    @override
    def change(self, cells: PairedCells, confidence: float) -> Difference:
        """There is none."""
        raise Undefined("ratios of rates have no paired test: compare their difference")


class DemographicParityDifference(_Difference):
    """0 to 1: how much oftener the decision is positive for one group than for another. 0 is best.

    Formula: the largest less the smallest selection rate, P(decision positive | group). It asks for equal rates
    whatever the gold labels are: where groups differ in these, a perfect model has a difference. Expect some from noise
    alone, the more so with many or small groups; an interval that starts at 0 shows no difference.
    """

    rates = ("selection_rate",)


class MeanPredictionDifference(_Difference):
    """0 to 1: how much likelier the positive label is found for one group than for another. 0 is best.

    Formula: the largest less the smallest mean, over a group, of the probability of the positive label. It is
    demographic parity without a threshold, and so defined for a model that decides the same for everybody, too. Where
    the probabilities hardly move it is small whatever the groups: read it beside the calibration gap, and as a part of
    the spread of the groups' means.
    """

    rates = ("mean_prediction",)
    constant_is_undefined = False

    @override
    def decisions(self, scores: Sequence[Score]) -> Values:
        """The probability of the positive label."""
        return np.array([score.value for score in scores], dtype=float)


class DemographicParityRatio(_Ratio):
    """0 to 1: the selection rate of the least accepted group over that of the most accepted one. 1 is best.

    Formula: the smallest over the largest selection rate, P(decision positive | group). US agencies take less than 0.8
    as a sign of adverse impact in hiring (the four-fifths rule, 29 CFR 1607.4). It is rough where few are accepted, and
    undefined where nobody is.
    """

    rates = ("selection_rate",)


class EqualizedOddsDifference(_Difference):
    """0 to 1: how much the error rates differ between groups. 0 is best.

    Formula: the larger of two differences, largest less smallest over groups: that of the true positive rates and that
    of the false positive rates. Unlike demographic parity it allows for groups whose gold labels differ; it trusts
    these labels, which may be unfair themselves.
    """

    rates = ("true_positive_rate", "false_positive_rate")


class EqualizedOddsRatio(_Ratio):
    """0 to 1: as the equalized odds difference, with ratios. 1 is best.

    Formula: the smaller of two ratios, smallest over largest over groups: that of the true positive rates and that of
    the false positive rates. Where one of the rates is 0 in every group it is undefined.
    """

    rates = ("true_positive_rate", "false_positive_rate")


class EqualOpportunityDifference(_Difference):
    """0 to 1: how much oftener those who should be accepted are, in one group than in another. 0 is best.

    Formula: the largest less the smallest true positive rate, P(decision positive | gold positive, group). False
    acceptances don't count: read it beside the equalized odds difference.
    """

    rates = ("true_positive_rate",)


class WorstGroupAccuracy(Disparity):
    """0 to 1: the accuracy of the group for which the model decides worst. Higher is better.

    Formula: the smallest, over groups, of the share of right decisions. The smallest of many noisy figures lies below
    the truth; its upper end holds for all groups at once, which allows for it.
    """

    rates = ("accuracy",)
    constant_is_undefined = False
    grows_by_chance = False

    @override
    def compare(self, rates: Values) -> Values:
        return np.asarray(rates.min(axis=1))

    @override
    def ends(self, found: RateByGroup, levels: Levels, *, alone: bool) -> Interval:
        singly = [cell.interval(levels.single_confidence()) for cell in found.cells.values()]
        each = statistics.shared_level(levels.together, len(found.cells))
        together = [cell.interval(1 - 2 * min(each, levels.single)) for cell in found.cells.values()]
        worst = min(singly, key=lambda one: one.value)
        if any(one.low is None for one in singly):
            raise ValueError("a group has no interval")
        return replace(
            worst,
            low=min(one.low for one in singly if one.low is not None),
            high=min(one.high for one in together if one.high is not None),
        )

    @override
    def change(self, cells: PairedCells, confidence: float) -> Difference:
        return cells.change_of_smallest(confidence)


def disparity_metrics(attribute: str, *, positive: str, smallest_group: int) -> tuple[Metric, ...]:
    """Differences, ratios and the worst group of one attribute, or of an intersection of some."""
    kinds: Sequence[tuple[type[Disparity], str, str, float | None, str]] = (
        (
            MeanPredictionDifference,
            "mean_prediction_difference",
            "difference",
            0.0,
            "after Jiang, Pacchiano, Stepleton, Jiang and Chiappa (2020), Wasserstein Fair Classification, UAI",
        ),
        (DemographicParityDifference, "demographic_parity_difference", "difference", 0.0, DWORK),
        (DemographicParityRatio, "demographic_parity_ratio", "ratio", 1.0, DWORK),
        (EqualizedOddsDifference, "equalized_odds_difference", "difference", 0.0, HARDT),
        (EqualizedOddsRatio, "equalized_odds_ratio", "ratio", 1.0, HARDT),
        (EqualOpportunityDifference, "equal_opportunity_difference", "difference", 0.0, HARDT),
        (WorstGroupAccuracy, "worst_group_acc", "share", None, "Sagawa, Koh, Hashimoto and Liang (2020), ICLR"),
    )
    return tuple(
        kind(
            name="_".join((name, attribute)),
            unit=unit,
            target=target,
            direction="higher" if target is None else None,
            source=f"{source}; {FAIRLEARN}",
            attribute=attribute,
            positive=positive,
            smallest_group=smallest_group,
        )
        for kind, name, unit, target, source in kinds
    )
