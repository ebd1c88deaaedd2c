"""How often a decision is positive, and wrong, and how well calibrated it is: overall, and by group.

Decisions are read from a score's `gold` and `predicted`; `positive` is the label that counts as acceptance.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from typing_extensions import override

from harness.core.metrics import Mean, Metric, Proportion
from harness.core.scores import Score
from harness.core.statistics import CONFIDENCE, Interval, Statistic
from harness.metrics.calibration_bins import Bins, equal_width_bins
from harness.metrics.calibration_distances import EqualWidthECE
from harness.metrics.confidence import Values

__all__ = [
    "CALIBRATION_GAP",
    "FALSE_NEGATIVE_RATE",
    "FALSE_POSITIVE_RATE",
    "SELECTION_RATE",
    "CalibrationError",
    "rate_metrics",
]

FAIRLEARN = "as in fairlearn (Weerts et al., 2023)"

_BINS = 10

SELECTION_RATE = Proportion(
    name="selection_rate",
    unit="share",
    target=0.5,
    source=f"{FAIRLEARN}: selection_rate",
    meaning="""
    0 to 1: how often the decision is positive. The target is the share of positives in the data.

    Formula: positive decisions / samples. Compare the groups with one another, not each with the target: equal rates
    are demographic parity. A rate of 0 or 1 for everybody means that the model always says the same, and then no
    difference between groups can show.
    """,
)

FALSE_POSITIVE_RATE = Proportion(
    name="false_positive_rate",
    unit="share",
    direction="lower",
    source=f"{FAIRLEARN}: false_positive_rate",
    meaning="""
    0 to 1: how often the decision is positive where it should be negative. Lower is better.

    Formula: positive decisions among negative samples / negative samples; `n` counts the negative samples alone.
    """,
)

FALSE_NEGATIVE_RATE = Proportion(
    name="false_negative_rate",
    unit="share",
    direction="lower",
    source=f"{FAIRLEARN}: false_negative_rate",
    meaning="""
    0 to 1: how often the decision is negative where it should be positive. Lower is better.

    Formula: negative decisions among positive samples / positive samples; `n` counts the positive samples alone.
    """,
)

CALIBRATION_GAP = Mean(
    name="calibration_gap",
    unit="probability",
    target=0.0,
    source="calibration within groups: Kleinberg, Mullainathan and Raghavan (2017), ITCS; Pleiss et al. (2017)",
    lowest=-1.0,
    highest=1.0,
    meaning="""
    -1 to 1: how much likelier the model finds the positive label, on average, than it is. 0 is best.

    Formula: the mean of the probability of the positive label less 1 for a positive and 0 for a negative sample.
    Unlike the calibration error it isn't biased by small groups; it can be 0 for a model that is wrong both ways.
    """,
)


@dataclass(frozen=True, kw_only=True)
class CalibrationError(EqualWidthECE):
    """0 to 1: how far the model's probabilities lie from how often the label is right. Lower is better.

    Formula: samples are put into ten bins of equal width by the probability of the positive label; the error is the
    mean over samples of the distance, in their bin, of the mean probability from the share of positive samples (Naeini
    et al., 2015). It grows with fewer samples even for a perfect model, so groups of unlike size can't be compared by
    it alone, and groups below `smallest_group` have none; the interval allows for that growth.
    """

    positive: str

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        return super().reduce(self._as_choices(scores), rng, confidence)

    @override
    def resampled(self, scores: Sequence[Score]) -> Statistic:
        return super().resampled(self._as_choices(scores))

    @override
    def bins(self, confidence: Values, right: Values) -> Bins:
        """Ten of equal width."""
        return equal_width_bins(confidence, right, _BINS)

    def _as_choices(self, scores: Sequence[Score]) -> list[Score]:
        """The positive label as the choice, whose probability the value is: right where the sample is positive."""
        return [replace(score, predicted=self.positive) for score in scores]


def rate_metrics(
    attributes: Sequence[str], *, positive: str, base_rate: float, smallest_group: int
) -> tuple[Metric, ...]:
    """Selection rate, error rates and calibration, overall and by each of the attributes.

    `base_rate` is the share of positive samples in the data, from 0 to 1. The calibration error of a group needs five
    times `smallest_group` samples.
    """
    by, selection = tuple(attributes), replace(SELECTION_RATE, target=base_rate)
    rates = (selection, FALSE_POSITIVE_RATE, FALSE_NEGATIVE_RATE, CALIBRATION_GAP)
    return (
        *(replace(metric, by=by, smallest_group=smallest_group) for metric in rates),
        CalibrationError(
            name="calibration_error",
            unit="probability",
            direction="lower",
            source="Naeini, Cooper and Hauskrecht (2015), Obtaining Well Calibrated Probabilities, AAAI",
            by=by,
            smallest_group=5 * smallest_group,
            positive=positive,
        ),
    )
