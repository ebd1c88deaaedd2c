"""Confidence: calibration errors, what confidence tells, and whether members can be told from others."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri
from scipy.stats import beta

from benchmarks.coverage.scenario import Generator, Scenario, cluster_names, shared_normal
from harness.core.metrics import Metric
from harness.core.scores import Score
from harness.metrics.calibration_distances import (
    DebiasedECE,
    EqualWidthECE,
    ExpectedCalibrationError,
    Reliability,
    Resolution,
)
from harness.metrics.confidence import AreaUnderRiskCoverage, ConfidenceAUROC, RiskAtCoverage, Uncertainty
from suites.calibration.metrics import OVERCONFIDENCE
from suites.privacy.membership import MEMBER, MEMBERSHIP_METRICS, NON_MEMBER

Values = NDArray[np.float64]

NOISE = "the truth is 0, or so near it that noise hides it: no end can lie within it"

_GRID = (np.arange(200_000) + 0.5) / 200_000


def _uniform(quantile: Values) -> Values:
    return 0.3 + 0.5 * quantile


def _sure(quantile: Values) -> Values:
    return np.asarray(beta.ppf(quantile, 20, 1), dtype=float)


def _judged(
    metric: Metric,
    name: str,
    truth: float,
    *,
    confidence: Callable[[Values], Values] = _uniform,
    right: Callable[[Values], Values],
    edge: str = "",
) -> Scenario:
    """Confidences of that quantile function, each right as often as `right` makes of it."""

    def draw(generator: Generator, n: int, clustered: bool) -> Sequence[Score]:
        drawn = ndtr(shared_normal(generator, n, clustered, columns=2))
        sure = confidence(drawn[:, 0])
        hits = drawn[:, 1] < right(sure)
        values = sure - hits if metric is OVERCONFIDENCE else sure
        return [
            Score(sample_id=str(i), metric=metric.name, value=value, gold="1", predicted=str(int(hit)), cluster=cluster)
            for i, (value, hit, cluster) in enumerate(
                zip(values.tolist(), hits.tolist(), cluster_names(n, clustered), strict=True)
            )
        ]

    return Scenario(metric=metric, name=name, draw=draw, truth=truth, edge=edge)


def _separated(metric: Metric, name: str, area: float, share: float, edge: str = "") -> Scenario:
    """Values of members that lie so far above those of others that the area is as given."""
    distance = float(ndtri(area)) * np.sqrt(2)
    truth = area if metric.name.endswith("auroc") else float(ndtr(distance - float(ndtri(0.99))))

    def draw(generator: Generator, n: int, clustered: bool) -> Sequence[Score]:
        values = shared_normal(generator, n, clustered)[:, 0]
        member = generator.random(n) < share
        return [
            Score(
                sample_id=str(i),
                metric=metric.name,
                value=value + distance * inside,
                gold=MEMBER if inside else NON_MEMBER,
                cluster=cluster,
            )
            for i, (value, inside, cluster) in enumerate(
                zip(values.tolist(), member.tolist(), cluster_names(n, clustered), strict=True)
            )
        ]

    return Scenario(metric=metric, name=name, draw=draw, truth=truth, edge=edge)


def _areas() -> tuple[Scenario, ...]:
    """Of confidence: right choices have the confidence of members."""
    found = []
    for area, edge in ((0.5, FEW), (0.75, FEW), (0.95, NEAR), (0.99, NEAR)):
        for share in (0.5, 0.85):
            inner = _separated(ConfidenceAUROC(), "", area, share)

            def draw(generator: Generator, n: int, clustered: bool, inner: Scenario = inner) -> Sequence[Score]:
                return [
                    Score(
                        sample_id=score.sample_id,
                        metric=score.metric,
                        value=float(ndtr(score.value)),
                        gold="1",
                        predicted="1" if score.gold == MEMBER else "0",
                        cluster=score.cluster,
                    )
                    for score in inner.draw(generator, n, clustered)
                ]

            found.append(
                Scenario(metric=ConfidenceAUROC(), name=f"{share:.0%} right", draw=draw, truth=area, edge=edge)
            )
    return tuple(found)


FEW = "of so few clusters that an end can hardly miss"
NEAR = "so near a perfect order that few samples show any other"
_TRUE_POSITIVE_RATE = next(metric for metric in MEMBERSHIP_METRICS if metric.name.endswith("fpr"))
_ERRORS = (ExpectedCalibrationError(), EqualWidthECE(), DebiasedECE())


def _off(amount: float) -> Callable[[Values], Values]:
    return lambda sure: sure - amount


def _flat(_sure: Values) -> Values:
    return np.full_like(_sure, 0.55)


_RISK = _uniform(_GRID)
_RISK_AT_80 = float((1 - _RISK[len(_RISK) // 5 :]).mean())
_AREA = float((np.cumsum((1 - _RISK)[::-1]) / np.arange(1, len(_RISK) + 1)).mean())

SCENARIOS = (
    *(_judged(metric, "calibrated", 0.0, right=_off(0.0), edge=NOISE) for metric in _ERRORS),
    *(_judged(metric, "a little too sure", 0.06, right=_off(0.06), edge=NOISE) for metric in _ERRORS),
    *(_judged(metric, "too sure", 0.15, right=_off(0.15)) for metric in _ERRORS),
    *(
        _judged(metric, "nearly certain", 0.02, confidence=_sure, right=_off(0.02), edge=NOISE)
        for metric in (ExpectedCalibrationError(), DebiasedECE())
    ),
    _judged(Reliability(), "calibrated", 0.0, right=_off(0.0), edge=NOISE),
    _judged(Reliability(), "too sure", 0.15**2, right=_off(0.15), edge=NOISE),
    _judged(Resolution(), "confidence tells nothing", 0.0, right=_flat, edge=NOISE),
    _judged(Resolution(), "calibrated", 0.5**2 / 12, right=_off(0.0), edge=NOISE),
    _judged(Uncertainty(), "0.55 right", 0.55 * 0.45, right=_flat, edge="the truth lies at the top of the range"),
    _judged(Uncertainty(), "0.93 right", 0.9324 * 0.0676, confidence=_sure, right=_off(0.02)),
    _judged(OVERCONFIDENCE, "a little too sure", 0.06, right=_off(0.06)),
    _judged(OVERCONFIDENCE, "nearly certain", 0.02, confidence=_sure, right=_off(0.02), edge=NOISE),
    _judged(RiskAtCoverage(name="risk_at_coverage_80", coverage=0.8), "calibrated", _RISK_AT_80, right=_off(0.0)),
    _judged(AreaUnderRiskCoverage(), "calibrated", _AREA, right=_off(0.0)),
    *_areas(),
    _separated(_TRUE_POSITIVE_RATE, "half members", 0.75, 0.5, "the threshold of 1 % hangs on few non-members"),
)
