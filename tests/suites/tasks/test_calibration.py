"""Metrics of confidence against hand-computed cases and scikit-learn."""

import json
from collections.abc import Sequence
from dataclasses import replace
from random import Random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score
from statsmodels.stats.proportion import proportion_confint
from torchmetrics.functional.classification import binary_calibration_error

from harness.core.metrics import Undefined
from harness.core.pairing import Pairs
from harness.core.scores import Score
from harness.metrics.calibration_bins import equal_mass_bins
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
    ConfidenceMetric,
    RiskAtCoverage,
    Temperature,
    Uncertainty,
    best_temperature,
)
from suites.calibration.metrics import CALIBRATION_METRICS, OVERCONFIDENCE
from suites.calibration.wrapper import confidence_bin

Values = NDArray[np.float64]


def judged(confidence: Sequence[float], right: Sequence[float]) -> list[Score]:
    return [
        Score(sample_id=str(index), metric="m", value=float(sure), gold="1", predicted=str(int(hit)))
        for index, (sure, hit) in enumerate(zip(confidence, right, strict=True))
    ]


def drawn(n: int, seed: int, excess: float = 0.0) -> tuple[Values, Values]:
    """Confidences that exceed the chance of being right by so much."""
    generator = np.random.default_rng(seed)
    chance = generator.uniform(0.3, 0.8, n)
    return chance + excess, (generator.random(n) < chance).astype(float)


def test_the_calibration_error_is_as_computed_by_hand() -> None:
    # 20 samples, two bins: confidence 0.6 with 3 of 10 right, 0.9 with 8 of 10 right.
    confidence = np.array([0.6] * 10 + [0.9] * 10)
    right = np.array([1.0] * 3 + [0.0] * 7 + [1.0] * 8 + [0.0] * 2)
    mixed = np.random.default_rng(0).permutation(20)
    assert ExpectedCalibrationError().of(confidence[mixed], right[mixed]) == pytest.approx((0.3 + 0.1) / 2)
    assert Reliability().of(confidence[mixed], right[mixed]) == pytest.approx((0.09 + 0.01) / 2)
    assert Resolution().of(confidence[mixed], right[mixed]) == pytest.approx(0.25**2)
    assert Uncertainty().of(confidence[mixed], right[mixed]) == pytest.approx(0.55 * 0.45)


@pytest.mark.parametrize(("n", "bins"), [(150, 15), (600, 15), (100, 10)])
def test_the_bins_and_the_calibration_error_are_scikit_learns(n: int, bins: int) -> None:
    confidence, right = drawn(n, seed=n)
    accuracy, mean = calibration_curve(right, confidence, n_bins=bins, strategy="quantile")
    ours = equal_mass_bins(confidence, right)
    assert ours.sizes.tolist() == [n / bins] * bins
    assert ours.accuracy == pytest.approx(accuracy)
    assert ours.confidence == pytest.approx(mean)
    assert ExpectedCalibrationError().of(confidence, right) == pytest.approx(np.abs(accuracy - mean).mean())


@pytest.mark.parametrize("seed", range(5))
def test_the_error_over_equal_widths_is_torchmetrics(seed: int) -> None:
    confidence, right = drawn(300, seed=seed, excess=0.1)
    expected = binary_calibration_error(torch.tensor(confidence), torch.tensor(right).int(), n_bins=15, norm="l1")
    assert EqualWidthECE().of(confidence, right) == pytest.approx(float(expected), abs=1e-6)


def test_bins_of_equal_width_hold_their_upper_end_and_the_first_holds_0() -> None:
    # 0 and 1/15 share the first bin: mean confidence 1/30, one of two right. 1 is alone in the last.
    confidence, right = np.array([0.0, 1 / 15, 1.0]), np.array([1.0, 0.0, 1.0])
    assert EqualWidthECE().of(confidence, right) == pytest.approx((0.5 - 1 / 30) * 2 / 3)


@pytest.mark.parametrize(("n", "bins"), [(5, 1), (19, 1), (20, 2), (149, 14), (1000, 15)])
def test_no_bin_holds_fewer_than_ten_samples_unless_there_are_no_more(n: int, bins: int) -> None:
    sizes = equal_mass_bins(*drawn(n, seed=1)).sizes
    assert (len(sizes), sizes.sum()) == (bins, n)
    assert sizes.min() >= min(n, 10)
    assert np.ptp(sizes) <= 1


def test_the_order_of_equal_confidences_changes_nothing() -> None:
    confidence, right = np.repeat([0.5, 0.7], 30), np.tile([1.0, 1.0, 0.0], 20)
    sorted_right = np.concatenate([np.sort(right[:30]), np.sort(right[30:])])
    for metric in (ExpectedCalibrationError(), AreaUnderRiskCoverage()):
        assert metric.of(confidence, right) == pytest.approx(metric.of(confidence, sorted_right))


def test_equal_confidences_stay_in_one_bin() -> None:
    generator = np.random.default_rng(0)
    confidence, right = np.full(200, 0.7), (generator.random(200) < 0.7).astype(float)
    assert equal_mass_bins(confidence, right).sizes.tolist() == [200]
    # One bin: its error is |0.7 - accuracy| whatever the order of the samples, and chance adds to it once.
    assert ExpectedCalibrationError().of(confidence, right) == pytest.approx(abs(0.7 - right.mean()))
    assert DebiasedECE().of(confidence, right) > -0.04


@given(st.lists(st.sampled_from([0.25, 0.4, 0.5, 0.8, 1.0]), min_size=1, max_size=300), st.integers(0, 10_000))
@settings(max_examples=50, deadline=None)
def test_no_confidence_is_in_two_bins(confidence: list[float], seed: int) -> None:
    right = np.random.default_rng(seed).integers(0, 2, len(confidence)).astype(float)
    bins = equal_mass_bins(np.array(confidence), right)
    assert all(len(set(bins.member[np.array(confidence) == one])) == 1 for one in set(confidence))
    assert bins.sizes.sum() == len(confidence)
    assert bins.sizes.min() >= min(len(confidence), 10)


def test_three_of_three_right_are_not_certain() -> None:
    # Wilson's interval of 3 of 3 is 0.4385 to 1, so 0.9 may be too sure by 0.46 or not sure enough by 0.1.
    low, high = proportion_confint(3, 3, method="wilson")
    scores = [replace(score, value=-0.1) for score in judged([0.9] * 3, [1, 1, 1])]
    found = OVERCONFIDENCE.reduce(scores, Random(0))
    assert (found.value, found.low, found.high) == pytest.approx((-0.1, 0.9 - high, 0.9 - low))


@given(st.integers(2, 120), st.integers(0, 10_000), st.sampled_from([0.0, 0.3, 0.7, 1.0]), st.booleans())
@settings(max_examples=60, deadline=None)
def test_every_value_of_confidence_lies_in_its_own_interval(n: int, seed: int, share: float, coarse: bool) -> None:
    generator = np.random.default_rng(seed)
    confidence = generator.uniform(0, 1, n).round(1 if coarse else 9)
    scores = judged(confidence, (generator.random(n) < share).astype(float))
    for metric in CALIBRATION_METRICS:
        if not isinstance(metric, ConfidenceMetric):
            continue
        try:
            found = metric.reduce(scores, Random(0))
        except Undefined:
            continue
        assert found.low is not None, metric.name
        assert found.high is not None, metric.name
        assert found.low <= found.value <= found.high, metric.name
        assert found.low < found.high, metric.name


def test_debiasing_is_that_of_kumar_with_many_draws() -> None:
    confidence, right = drawn(200, seed=3, excess=0.05)
    bins = equal_mass_bins(confidence, right)
    plain = bins.shares @ np.abs(bins.gaps)
    scatter = np.sqrt(bins.accuracy * (1 - bins.accuracy) / (bins.sizes - 1))
    redrawn = np.random.default_rng(0).normal(bins.accuracy, scatter, size=(200_000, len(scatter)))
    mean = (np.abs(bins.confidence - redrawn) @ bins.shares).mean()
    assert DebiasedECE().of(confidence, right) == pytest.approx(2 * plain - mean, abs=3e-4)


def test_debiasing_comes_nearer_to_the_truth() -> None:
    plain, debiased = (
        [metric.of(*drawn(300, seed=seed, excess=0.1)) for seed in range(40)]
        for metric in (ExpectedCalibrationError(), DebiasedECE())
    )
    assert abs(np.mean(debiased) - 0.1) < abs(np.mean(plain) - 0.1)
    assert np.mean(debiased) == pytest.approx(0.1, abs=0.015)


def test_a_model_worse_by_the_margin_rarely_passes_though_the_baseline_is_calibrated() -> None:
    # Resampled together, 11 of these 20 pairs do: the debiased error of a calibrated model is above 0 by chance.
    metric, generator, passed = DebiasedECE(), np.random.default_rng(0), 0
    for _ in range(20):
        chance, luck = generator.uniform(0.3, 0.8, 150), generator.random(150)
        sides = [judged(chance + off, (luck < chance).astype(float)) for off in (0.0, 0.1)]
        found = metric.difference(Pairs(first=tuple(sides[0]), second=tuple(sides[1])), Random(0), 0.9)
        first, second = (metric.reduce(side, Random(Random(0).getrandbits(64)), 0.9) for side in sides)
        assert found.value == second.value - first.value
        assert found.high == (second.high or 0) - (first.low or 0)
        assert found.low == (second.low or 0) - (first.high or 0)
        passed += found.high < 0.1
    assert passed <= 2


def test_the_parts_of_the_brier_score_add_up_where_confidence_is_the_same_in_a_bin() -> None:
    generator = np.random.default_rng(5)
    confidence = np.repeat(generator.uniform(0.2, 0.9, 15), 20)
    right = (generator.random(300) < 0.6).astype(float)
    parts = [metric.of(confidence, right) for metric in (Reliability(), Resolution(), Uncertainty())]
    assert parts[0] - parts[1] + parts[2] == pytest.approx(brier_score_loss(right, confidence), abs=1e-12)


def test_the_auroc_of_confidence_is_scikit_learns() -> None:
    confidence, right = drawn(300, seed=2)
    confidence = confidence.round(1)
    assert ConfidenceAUROC().of(confidence, right) == pytest.approx(roc_auc_score(right, confidence), abs=1e-12)


def test_an_auroc_without_wrong_choices_is_absent() -> None:
    with pytest.raises(Undefined, match="every choice is right"):
        ConfidenceAUROC().reduce(judged([0.5, 0.6], [1, 1]), Random(0))


def test_the_area_under_risk_and_coverage_is_as_computed_by_hand() -> None:
    # From the surest down: right, wrong, right. Risks 0, 1/2, 1/3.
    area = AreaUnderRiskCoverage()
    assert area.of(np.array([0.7, 0.9, 0.8]), np.array([1.0, 1.0, 0.0])) == pytest.approx((0 + 1 / 2 + 1 / 3) / 3)
    assert area.of(np.array([0.5, 0.5]), np.array([1.0, 0.0])) == pytest.approx(0.5)


@pytest.mark.parametrize(("coverage", "risk"), [(0.2, 0.0), (0.4, 1 / 2), (0.5, 1 / 3), (0.8, 1 / 2), (1.0, 2 / 5)])
def test_the_risk_at_a_coverage_is_as_counted_by_hand(coverage: float, risk: float) -> None:
    # From the surest down: right, wrong, right, wrong, right; half of five are three.
    confidence, right = np.array([0.5, 0.9, 0.7, 0.8, 0.6]), np.array([1.0, 1.0, 1.0, 0.0, 0.0])
    found = RiskAtCoverage(name="risk", coverage=coverage).of(confidence, right)
    assert found == pytest.approx(risk)


def test_equal_confidences_share_their_risk_whatever_their_order() -> None:
    same = np.full(4, 0.5)
    for right in ([1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]):
        assert RiskAtCoverage(name="risk", coverage=0.5).of(same, np.array(right)) == pytest.approx(0.5)


def test_a_single_bin_has_no_resolution() -> None:
    with pytest.raises(Undefined, match="at least two bins of 10"):
        Resolution().reduce(judged([0.5, 0.6, 0.7], [1, 0, 1]), Random(0))


def choices(n: int, seed: int, sharpness: float) -> tuple[Values, NDArray[np.intp]]:
    """Log-probabilities `sharpness` times as sharp as those that the right choices are drawn from."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 1.5, (n, 4))
    gold = np.array([generator.choice(4, p=row) for row in softmax(logits, axis=1)])
    return np.asarray(log_softmax(logits * sharpness, axis=1)), gold


def test_the_temperature_is_where_the_likelihood_is_best() -> None:
    table, gold = choices(400, seed=0, sharpness=2.0)

    def loss(temperature: float) -> float:
        return float(log_loss(gold, softmax(table / temperature, axis=1), labels=range(4)))

    found = best_temperature(table, gold)
    assert found == pytest.approx(2.0, rel=0.2)
    assert found == pytest.approx(minimize_scalar(loss, bounds=(0.1, 20), method="bounded").x, rel=1e-3)


@given(st.floats(0.2, 8))
@settings(max_examples=20, deadline=None)
def test_a_model_so_many_times_as_sharp_has_so_many_times_the_temperature(factor: float) -> None:
    table, gold = choices(100, seed=1, sharpness=1.0)
    assert best_temperature(table * factor, gold) == pytest.approx(factor * best_temperature(table, gold), rel=1e-6)


def test_a_choice_that_is_not_there_takes_no_part_in_the_temperature() -> None:
    table, gold = choices(100, seed=1, sharpness=1.0)
    padded = np.hstack([table, np.full((100, 2), -np.inf)])
    assert best_temperature(padded, gold) == pytest.approx(best_temperature(table, gold))


@pytest.mark.parametrize("gold", ["0", "1"])
def test_without_a_best_temperature_there_is_none(gold: str) -> None:
    log_probabilities = json.dumps(np.log([0.9, 0.1]).tolist())
    always = [Score(sample_id=str(i), metric="temperature", gold=gold, predicted=log_probabilities) for i in range(5)]
    with pytest.raises(Undefined, match="no temperature from 1/100 to 100"):
        Temperature().reduce(always, Random(0))


@pytest.mark.parametrize("metric", [ExpectedCalibrationError(), DebiasedECE(), Reliability()])
def test_the_interval_of_a_calibrated_model_reaches_0_and_that_of_another_does_not(metric: ConfidenceMetric) -> None:
    reached = [(metric.reduce(judged(*drawn(200, seed=seed)), Random(0)).low or 0) <= 0 for seed in range(8)]
    assert sum(reached) >= 7
    off = metric.reduce(judged(*drawn(200, seed=0, excess=0.2)), Random(0))
    assert (off.low or 0) > 0
    assert off.high is not None
    assert off.low is not None
    assert off.low < off.value < off.high


def test_confidence_so_high_that_chance_has_no_room_leaves_a_lower_end_near_the_distance() -> None:
    # Right in 60 of 100 and always surer: the distance itself is a mean, whose bootstrap has a plain lower end.
    sure = np.linspace(0.51, 0.9995, 400) ** 0.05
    sure[-60:] = 1 - 1e-8
    right = (np.random.default_rng(1).random(400) < 0.6).astype(float)
    scores = [replace(one, cluster=str(index // 2)) for index, one in enumerate(judged(sure, right))]
    found = DebiasedECE().reduce(scores, Random(1))
    resampled = np.random.default_rng(2).integers(0, 400, size=(2000, 400))
    low = np.quantile(sure[resampled].mean(axis=1) - right[resampled].mean(axis=1), 0.025)
    assert found.low == pytest.approx(low, abs=0.02)


@pytest.mark.parametrize(
    ("confidence", "expected"),
    [(1.0, "0.9-1.0"), (0.9, "0.8-0.9"), (0.91, "0.9-1.0"), (0.5, "0.4-0.5"), (0.0, "0.0-0.1"), (0.3, "0.2-0.3")],
)
def test_confidences_fall_into_tenths(confidence: float, expected: str) -> None:
    assert confidence_bin(confidence) == expected
