"""Metrics of confidence: does a model that says 80 % turn out right in 80 of 100 cases?

Each reads the probability that the model gave its own choice, and whether that was right; `BRIER` and `NLL` read those
of all choices.
"""

from harness.core.metrics import Mean, Metric, Proportion
from harness.metrics.calibration_distances import (
    DebiasedECE,
    EqualWidthECE,
    ExpectedCalibrationError,
    Reliability,
    Resolution,
)
from harness.metrics.confidence import (
    AreaUnderRiskCoverage,
    ConfidenceAUROC,
    Overconfidence,
    RiskAtCoverage,
    Temperature,
    Uncertainty,
)

__all__ = [
    "ACCURACY",
    "BRIER",
    "CALIBRATION_METRICS",
    "CONFIDENCE_BIN",
    "NLL",
    "OVERCONFIDENCE",
    "RISKS",
]

CONFIDENCE_BIN = "confidence"
"""The attribute that groups samples for the reliability diagram: ten bins of the same width."""

BRIER = Mean(
    name="brier",
    unit="squared probability",
    direction="lower",
    source="Brier (1950), over all choices",
    lowest=0.0,
    highest=2.0,
    chance="indifference",
    meaning="""
    Squared distance between the probabilities of the choices and the truth (1 for the right one), summed over
    choices.

    From 0 to 2; a model that gives each of k choices the same has 1 - 1/k.
    """,
)

NLL = Mean(
    name="nll",
    unit="nats a sample",
    direction="lower",
    source="negative log-likelihood of the right choice among the choices (logarithmic score of Good, 1952)",
    lowest=0.0,
    meaning="""
    Minus the natural logarithm of the probability that the model gives the right choice among the choices.

    From 0 up; ln k for a model that gives each of k choices the same. A single sure mistake costs much.
    """,
)

OVERCONFIDENCE = Overconfidence(
    name="overconfidence",
    unit="probability",
    target=0.0,
    source="mean confidence less accuracy, as in Guo et al. (2017)",
    by=(CONFIDENCE_BIN,),
    smallest_group=5,
    meaning="""
    Mean probability of the model's choice less the share of right ones, from -1 to 1: above 0 it is too sure of
    itself.

    By bins of confidence it is the reliability diagram's distance from the diagonal.
    """,
)

ACCURACY = Proportion(
    name="acc",
    chance="choices",
    unit="share",
    direction="higher",
    source="share of samples whose likeliest choice is right; by confidence, the reliability diagram of "
    "DeGroot and Fienberg (1983)",
    by=(CONFIDENCE_BIN,),
    smallest_group=5,
    meaning="Share of samples, in [0, 1], whose likeliest choice is right: what confidence is compared with.",
)


RISKS: tuple[Metric, ...] = (
    RiskAtCoverage(name="risk_at_coverage_50", coverage=0.5),
    RiskAtCoverage(name="risk_at_coverage_80", coverage=0.8),
)

CALIBRATION_METRICS: tuple[Metric, ...] = (
    ACCURACY,
    OVERCONFIDENCE,
    ExpectedCalibrationError(),
    EqualWidthECE(),
    DebiasedECE(),
    BRIER,
    Reliability(),
    Resolution(),
    Uncertainty(),
    NLL,
    ConfidenceAUROC(),
    AreaUnderRiskCoverage(),
    *RISKS,
    Temperature(),
)
