import math
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score, matthews_corrcoef
from statsmodels.stats.proportion import proportion_confint

from harness.core.metrics import Mean, MeanShare, PerUnit, Undefined
from harness.core.scores import Score
from harness.core.statistics import ratio
from harness.metrics.standard import ACC, BITS_PER_BYTE, MACRO_F1, MCC, TOKEN_PERPLEXITY, WORD_PERPLEXITY

LABELS = ["negative", "neutral", "positive"]


def _labelled(gold: list[str], predicted: list[str]) -> list[Score]:
    pairs = zip(gold, predicted, strict=True)
    return [Score(sample_id=str(i), metric="x", gold=g, predicted=p) for i, (g, p) in enumerate(pairs)]


def _weighted(pairs: list[tuple[float, float]]) -> list[Score]:
    return [Score(sample_id=str(i), metric="x", value=v, weight=w) for i, (v, w) in enumerate(pairs)]


def _draw(count: int, seed: int, share: float = 0.6) -> tuple[list[str], list[str]]:
    generator = np.random.default_rng(seed)
    gold = generator.choice(LABELS, size=count)
    predicted = np.where(generator.random(count) < share, gold, generator.choice(LABELS, size=count))
    return gold.tolist(), predicted.tolist()


def test_macro_f1_and_mcc_are_scikit_learns() -> None:
    gold, predicted = _draw(80, 1)
    scores = _labelled(gold, predicted)
    assert MACRO_F1.reduce(scores, Random("a")).value == pytest.approx(f1_score(gold, predicted, average="macro"))
    assert MCC.reduce(scores, Random("a")).value == pytest.approx(matthews_corrcoef(gold, predicted))


def test_the_bootstrap_interval_of_macro_f1_has_the_spread_of_repeated_samples() -> None:
    repeated = [f1_score(*_draw(150, seed), average="macro") for seed in range(150)]
    interval = MACRO_F1.reduce(_labelled(*_draw(150, 1000)), Random("a"))
    assert interval.stderr == pytest.approx(np.std(repeated, ddof=1), rel=0.25)


def test_a_flawless_sample_is_not_certain_of_its_f1() -> None:
    gold = ["negative", "positive"] * 15
    for metric in (MACRO_F1, MCC):
        found = metric.reduce(_labelled(gold, gold), Random("a"))
        assert found.low is not None
        assert found.low < found.value == found.high == 1
        assert found.stderr


def test_a_label_that_is_only_ever_predicted_counts_in_every_draw() -> None:
    gold, predicted = ["negative", "positive"] * 30, ["negative", "positive"] * 29 + ["negative", "neutral"]
    interval = MACRO_F1.reduce(_labelled(gold, predicted), Random("a"))
    assert interval.value == pytest.approx(f1_score(gold, predicted, average="macro"))
    assert interval.high is not None
    assert interval.high <= 2 / 3


def test_samples_that_come_in_clusters_are_worth_fewer() -> None:
    gold, predicted = _draw(60, 3)
    once = _labelled(gold, predicted)
    copied = [replace(score, cluster=score.sample_id) for score in once for _ in range(5)]
    for metric in (MACRO_F1, MCC):
        alone, five = (metric.reduce(scores, Random("a")) for scores in (once, copied))
        assert five.value == pytest.approx(alone.value)
        assert five.stderr == pytest.approx(alone.stderr, rel=0.15)


def test_mcc_is_0_for_a_model_that_always_says_the_same_and_undefined_for_one_gold_label() -> None:
    assert MCC.reduce(_labelled(["a", "b", "a"], ["a", "a", "a"]), Random("a")).value == 0
    with pytest.raises(Undefined, match="undefined"):
        MCC.reduce(_labelled(["a", "a", "a"], ["a", "b", "a"]), Random("a"))


def test_labels_that_are_missing_make_a_label_metric_undefined() -> None:
    with pytest.raises(Undefined, match="no label"):
        MCC.reduce([Score(sample_id="1", metric="mcc", gold="a")], Random("a"))


def test_perplexity_transforms_the_ratio_its_ends_and_its_error() -> None:
    pairs = [(30.0, 10.0), (25.0, 9.0), (70.0, 21.0), (12.0, 5.0)]
    plain = ratio([nats for nats, _ in pairs], [tokens for _, tokens in pairs])
    assert plain.low is not None
    assert plain.high is not None
    assert plain.stderr is not None
    interval = TOKEN_PERPLEXITY.reduce(_weighted(pairs), Random("a"))
    assert interval.value == pytest.approx(math.exp(137 / 45))
    assert (interval.low, interval.high) == pytest.approx((math.exp(plain.low), math.exp(plain.high)))
    assert interval.stderr == pytest.approx(math.exp(137 / 45) * plain.stderr)


@pytest.mark.parametrize("metric", [TOKEN_PERPLEXITY, BITS_PER_BYTE], ids=lambda metric: metric.name)
def test_the_derivative_of_a_transform_is_its_slope(metric: PerUnit) -> None:
    """So the error of two metrics of the same nats differs by the slope: here against a difference quotient."""
    pairs = [(30.0, 10.0), (25.0, 9.0), (70.0, 21.0), (12.0, 5.0)]
    plain = ratio([nats for nats, _ in pairs], [units for _, units in pairs])
    below, above = (metric.reduce(_weighted([(2.0 + step, 1.0)]), Random("a")).value for step in (-1e-6, 1e-6))
    at_two = [(nats * 2 / plain.value, units) for nats, units in pairs]
    found = metric.reduce(_weighted(at_two), Random("a"))
    assert plain.stderr is not None
    assert found.stderr == pytest.approx(plain.stderr * 2 / plain.value * (above - below) / 2e-6, rel=1e-6)


def test_a_perplexity_too_large_for_a_number_is_absent_with_the_reason() -> None:
    with pytest.raises(Undefined, match="too large"):
        WORD_PERPLEXITY.reduce(_weighted([(3000.0, 1.0), (2500.0, 2.0)]), Random("a"))


def test_an_interval_too_large_for_a_number_is_absent_but_the_value_stays() -> None:
    interval = WORD_PERPLEXITY.reduce(_weighted([(1000.0, 2.0), (2.0, 2.0)]), Random("a"))
    assert interval.value == pytest.approx(math.exp(250.5))
    assert interval.high is None


def test_the_interval_of_a_perplexity_ends_at_1_and_that_of_bits_at_0() -> None:
    # Two texts that differ much: t with one degree of freedom would reach far below 0 nats.
    scores = _weighted([(1.0, 10.0), (60.0, 12.0)])
    assert ratio([1.0, 60.0], [10.0, 12.0]).low < 0  # type: ignore[operator]
    assert TOKEN_PERPLEXITY.reduce(scores, Random("a")).low == 1
    assert BITS_PER_BYTE.reduce(scores, Random("a")).low == 0


def test_nothing_to_divide_by_is_absent_with_the_reason() -> None:
    with pytest.raises(Undefined, match="sum to 0"):
        TOKEN_PERPLEXITY.reduce(_weighted([(0.0, 0.0)]), Random("a"))


def test_a_sample_without_value_is_never_averaged() -> None:
    with pytest.raises(Undefined, match="no value"):
        ACC.reduce([Score(sample_id="1", metric="acc", value=1.0), Score(sample_id="2", metric="acc")], Random("a"))


def test_a_metric_has_a_direction_or_a_target_but_not_both() -> None:
    with pytest.raises(ValueError, match="either"):
        Mean(name="x", unit="u", source="s")
    with pytest.raises(ValueError, match="either"):
        Mean(name="x", unit="u", source="s", direction="higher", target=0.0)


def test_an_interval_of_a_mean_ends_where_its_values_do() -> None:
    scores = [Score(sample_id=str(i), metric="x", value=value) for i, value in enumerate([0.0, 0.1, 2.5])]
    signed, unsigned = (
        Mean(name="x", unit="u", source="s", direction="lower", lowest=lowest).reduce(scores, Random("a"))
        for lowest in (None, 0.0)
    )
    assert signed.low is not None
    assert signed.low < 0 == unsigned.low
    assert (signed.value, signed.stderr, signed.high) == (unsigned.value, unsigned.stderr, unsigned.high)


def test_a_mean_share_of_nothing_is_not_known_for_certain() -> None:
    scores = [Score(sample_id=str(i), metric="x", value=0.0) for i in range(28)]
    found = MeanShare(name="x", unit="share", source="s", target=0.0).reduce(scores, Random("a"))
    assert found.low == 0
    assert found.high == pytest.approx(proportion_confint(0, 28, method="wilson")[1])


def test_a_metric_without_a_meaning_says_what_its_class_does_and_a_general_class_nothing() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Doubled(Mean):
        """Twice the mean.

        From 0 up.
        """

    @dataclass(frozen=True, kw_only=True)
    class Silent(Mean):
        pass

    common: dict[str, Any] = {"name": "m", "unit": "share", "source": "ours", "direction": "higher"}
    assert Doubled(**common).meaning == "Twice the mean.\n\nFrom 0 up."
    assert Doubled(**common, meaning="\n    Half.\n    ").meaning == "Half."
    assert Silent(**common).meaning == ""
    assert Mean(**common).meaning == ""
