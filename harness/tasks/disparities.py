"""How decisions and errors differ between groups: fairlearn's metrics, with errors and a smallest cell.

Decisions are read from a score's `gold` and `predicted`; `positive` is the label that counts as acceptance.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from harness.core import statistics
from harness.core.metrics import Metric, Undefined
from harness.core.scores import Score
from harness.core.statistics import CONFIDENCE, Interval, Statistic

__all__ = [
    "DemographicParityDifference",
    "DemographicParityRatio",
    "Disparity",
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

Flags = NDArray[np.bool_]
Values = NDArray[np.float64]
Rate = Callable[[Flags, Values], tuple[Flags, Values]]
"""From gold labels and decisions (1 or 0, or a probability): which samples a rate counts, and what it averages."""

_RATES: Mapping[str, Rate] = {
    "accuracy": lambda gold, accepted: (np.ones_like(gold), (gold == accepted).astype(float)),
    "selection_rate": lambda gold, accepted: (np.ones_like(gold), accepted),
    "mean_prediction": lambda gold, probability: (np.ones_like(gold), probability),
    "true_positive_rate": lambda gold, accepted: (gold, gold * accepted),
    "false_positive_rate": lambda gold, accepted: (~gold, ~gold * accepted),
}


@dataclass(frozen=True, kw_only=True)
class Disparity(Metric):
    """How rates of decisions differ between the groups of `attribute`.

    The value is fairlearn's, over the groups whose rate has at least `smallest_group` samples to be worked out from;
    the others are left out, and named with their n beside the interval. There is no value where fewer than two groups
    are left, nor for a model that decides the same for everybody, which treats all groups alike by looking at none. The
    interval is a basic bootstrap: a largest difference is never below 0 and grows with noise, which it allows for.
    """

    attribute: str
    positive: str
    rates: ClassVar[Sequence[str]]
    constant_is_undefined: ClassVar[bool] = True

    @abstractmethod
    def compare(self, rates: NDArray[np.float64]) -> float:
        """The value from one rate of each group; NaN where undefined."""

    @abstractmethod
    def framed(self, frame: Any, rate: str) -> float:
        """The same from a fairlearn `MetricFrame` of the rate."""

    def decisions(self, scores: Sequence[Score]) -> Values:
        """1 for each positive decision, 0 for each other."""
        return np.array([score.predicted == self.positive for score in scores], dtype=float)

    def worst(self, values: Sequence[float]) -> float:
        """The value over several rates: the largest."""
        return max(values)

    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        """See `Metric.reduce`."""
        gold, accepted, cells = self._cells(scores)
        clusters = [score.cluster for score in scores]
        found = statistics.bootstrap(self._over(cells), len(scores), rng=rng, clusters=clusters, confidence=confidence)
        if np.isnan(found.value):
            raise Undefined("the rates are 0 in every group, so their ratio is undefined")
        value = self.worst(
            [self._by_fairlearn(rate, cell, gold, accepted) for rate, cell in zip(self.rates, cells, strict=True)]
        )
        left_out = sorted({text for cell in cells for text in cell.left_out()})
        method = found.method and "; ".join([found.method, *(f"without {text}" for text in left_out)])
        return statistics.basic(replace(found, value=value, method=method), low=0.0, high=1.0)

    def resampled(self, scores: Sequence[Score]) -> Statistic:
        """See `Metric.resampled`."""
        return self._over(self._cells(scores)[2])

    def _over(self, cells: Sequence["_Cells"]) -> Statistic:
        def resampled(rows: NDArray[np.intp]) -> float:
            values = [self.compare(cell.rates(rows)) for cell in cells]
            return float("nan") if np.isnan(values).any() else self.worst(values)

        return resampled

    def _cells(self, scores: Sequence[Score]) -> "tuple[Flags, Values, list[_Cells]]":
        """Gold labels, decisions, and the groups of each rate."""
        gold = np.array([score.gold == self.positive for score in scores])
        accepted = self.decisions(scores)
        if self.constant_is_undefined and np.ptp(accepted) == 0:
            said = "positive" if accepted[0] else "negative"
            raise Undefined(
                f"all {len(scores)} decisions are {said}: a model that always says the same shows no difference"
            )
        names, member = np.unique([score.groups[self.attribute] for score in scores], return_inverse=True)
        cells = [_Cells.of(_RATES[rate](gold, accepted), member, names, self.smallest_group) for rate in self.rates]
        for rate, cell in zip(self.rates, cells, strict=True):
            if cell.kept.sum() < 2:
                raise Undefined(
                    f"{rate.replace('_', ' ')}: fewer than two groups have {self.smallest_group} samples "
                    f"({cell.counts()})"
                )
        return gold, accepted, cells

    def _by_fairlearn(self, rate: str, cell: "_Cells", gold: Flags, accepted: Values) -> float:
        # fairlearn takes a second to import, and ten milliseconds a figure: too long to resample with.
        from fairlearn import metrics as fairlearn
        from sklearn.metrics import accuracy_score

        functions = {"accuracy": accuracy_score, "mean_prediction": fairlearn.mean_prediction}
        function = functions.get(rate) or partial(getattr(fairlearn, rate), pos_label=1)
        rows = cell.kept[cell.member]
        frame = fairlearn.MetricFrame(
            metrics={rate: function},
            y_true=gold[rows].astype(int),
            y_pred=accepted[rows],
            sensitive_features=cell.names[cell.member[rows]],
        )
        return self.framed(frame, rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cells:
    """One rate by group: which samples count, which are hits, the group of each, and the groups kept."""

    counted: Flags
    hits: Values
    member: NDArray[np.intp]
    names: NDArray[np.str_]
    kept: Flags

    @classmethod
    def of(
        cls, rate: tuple[Flags, Values], member: NDArray[np.intp], names: NDArray[np.str_], smallest: int
    ) -> "_Cells":
        counted, hits = rate
        sizes = np.bincount(member, weights=counted, minlength=len(names))
        return cls(counted=counted, hits=hits, member=member, names=names, kept=sizes >= smallest)

    def rates(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """The rate of each group that is kept, among these rows; NaN where none of them counts."""
        member, size = self.member[rows], len(self.names)
        hits = np.bincount(member, weights=self.hits[rows], minlength=size)[self.kept]
        counted = np.bincount(member, weights=self.counted[rows], minlength=size)[self.kept]
        return np.asarray(np.divide(hits, counted, out=np.full(len(hits), np.nan), where=counted > 0), dtype=np.float64)

    def sizes(self) -> list[int]:
        return [int(size) for size in np.bincount(self.member, weights=self.counted, minlength=len(self.names))]

    def counts(self) -> str:
        return ", ".join(f"{name} {size}" for name, size in zip(self.names, self.sizes(), strict=True))

    def left_out(self) -> list[str]:
        found = zip(self.names, self.sizes(), self.kept, strict=True)
        return [f"{name} (n = {size})" for name, size, kept in found if not kept]


class _Difference(Disparity):
    """Largest less smallest rate."""

    def compare(self, rates: NDArray[np.float64]) -> float:
        """See `Disparity.compare`."""
        return float(rates.max() - rates.min())

    def framed(self, frame: Any, rate: str) -> float:
        """See `Disparity.framed`."""
        return float(frame.difference()[rate])


class _Ratio(Disparity):
    """Smallest over largest rate."""

    def compare(self, rates: NDArray[np.float64]) -> float:
        """See `Disparity.compare`."""
        return float(rates.min() / rates.max()) if rates.max() > 0 else float("nan")

    def framed(self, frame: Any, rate: str) -> float:
        """See `Disparity.framed`."""
        return float(frame.ratio()[rate])

    def worst(self, values: Sequence[float]) -> float:
        """The smallest."""
        return min(values)


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
    the truth; the basic bootstrap interval allows for it.
    """

    rates = ("accuracy",)
    constant_is_undefined = False

    def compare(self, rates: NDArray[np.float64]) -> float:
        """See `Disparity.compare`."""
        return float(rates.min())

    def framed(self, frame: Any, rate: str) -> float:
        """See `Disparity.framed`."""
        return float(frame.group_min()[rate])


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
