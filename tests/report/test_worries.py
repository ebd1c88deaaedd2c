"""What to worry about, on scores made up so that the rules must speak or be silent."""

from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.core.scores import OVERALL, Estimate
from harness.decision.comparison import compare
from harness.decision.context.levels import chance_level
from harness.report.findings import findings
from harness.report.words import Words
from harness.report.worries import worries
from suites.fairness.by_chance import beside_chance
from tests.decision.runs import flipped, scores_of, sealed

ACC = Estimate(
    suite="accuracy", task="quiz", metric="acc", value=0.6, low=0.55, high=0.65, n=400, unit="share",
    direction="higher", signature="",
)  # fmt: skip
SAMPLES = pd.DataFrame(
    [("accuracy", "quiz", sample, "loglikelihood") for sample in "ab" for _ in range(2)]
    + [("accuracy", "write", "a", "generate_until")],
    columns=["suite", "task", "sample_id", "kind"],
)


def _found(*estimates: Estimate, verdicts=(), comparison=None) -> list[str]:
    headlines = [one for one in estimates if one.task == OVERALL]
    context = SimpleNamespace(
        estimates=estimates,
        headlines=headlines,
        samples=SAMPLES,
        verdicts=verdicts,
        words=Words("en"),
        comparison=comparison,
        unusable=lambda one: one.invalid_count,
    )
    return [worry.text for worry in worries(context)]


def test_a_good_score_worries_nobody() -> None:
    assert _found(ACC) == []


def test_chance_is_one_over_the_choices() -> None:
    assert chance_level(SAMPLES, "accuracy", "quiz") == 0.5
    assert chance_level(SAMPLES, "accuracy", "write") is None


def test_a_score_at_chance_is_told() -> None:
    (told,) = _found(replace(ACC, value=0.53, low=0.48))
    assert "quiz" in told
    assert "guessing" in told
    assert _found(replace(ACC, value=0.53, low=0.48), replace(ACC, metric="acc_norm")) == []


@pytest.mark.parametrize(("low", "told"), [(0.45, 1), (0.5, 1), (0.51, 0)])
def test_written_answers_at_chance_are_told(low: float, told: int) -> None:
    right = replace(ACC, suite="mine", task="yes", metric="accuracy_all", value=0.6, low=low)
    chance = replace(ACC, suite="mine", task="yes", metric="chance", value=0.5, low=None, high=None)
    assert len([one for one in _found(right, chance) if "guessing" in one]) == told
    assert not _found(right)


def test_a_sure_loss_to_the_baseline_is_told_and_a_chance_one_is_not(tmp_path) -> None:
    for lost, told in ((40, ["Worse than the baseline beyond doubt: quiz (accuracy): 0.5000 → 0.4000."]), (4, [])):
        values = flipped(400, 0, lost)
        first, second = (
            sealed(tmp_path / str(lost), name, scores_of(of)) for name, of in zip("ab", values, strict=True)
        )
        assert _found(ACC, comparison=compare(first, second)) == told


def test_shares_are_told_in_percent() -> None:
    leak = replace(ACC, suite="privacy", metric="personal_data_rate", direction="lower", value=0.15, low=0.06, high=0.3)
    assert _found(leak) == ["15 % of its continuations of quiz hold personal data (6 % to 30 %)."]


@pytest.mark.parametrize(("low", "high", "told"), [(52.0, 58.0, 1), (48.0, 58.0, 0), (40.0, 49.0, 1)])
def test_a_stereotype_score_worries_where_its_interval_leaves_50(low: float, high: float, told: int) -> None:
    score = Estimate(
        suite="fairness", task="stereo", metric="ss", value=(low + high) / 2, stderr=1.0, low=low, high=high, n=9,
        unit="percent", target=50, signature="",
    )  # fmt: skip
    assert len(_found(score)) == told


def test_invalid_samples_come_before_all_other_doubts() -> None:
    found = _found(replace(ACC, value=0.5, low=0.4), replace(ACC, suite="mine", task="mine", invalid_count=4, n=6))
    assert found[0].startswith("4 of 10 samples of mine")
    assert len(found) == 2


def test_samples_without_an_answer_are_counted_by_task_also_where_none_is_left() -> None:
    lost = replace(ACC, task="lost", value=None, reason="no answer", n=0, invalid_count=9)
    whole = replace(ACC, task=OVERALL, invalid_count=13, n=87)
    (told,) = _found(lost, replace(ACC, invalid_count=4, n=6), whole)
    assert told == (
        "9 of 9 samples of lost could not be used: its scores are of the others alone. Likewise: quiz 4/10."
    )


CROWS = Estimate(
    suite="fairness", task="crows_pairs", metric="mask1_preference", value=60.0, stderr=2.8, low=54.4, high=65.4, n=300,
    unit="%", target=50, signature="",
)  # fmt: skip
LARGEST = Estimate(
    suite="fairness", task="counterfactual_en", metric="sentiment_difference", value=0.4167, stderr=0.2, low=0.3333,
    high=1.083, n=200, unit="points of [-1, 1]", target=0, signature="",
)  # fmt: skip
COUNT = replace(
    LARGEST, metric="sentiment_groups_differing", value=0.0, stderr=None, low=None, high=None, unit="groups",
    interval="Holm over 27 groups",
)  # fmt: skip


@pytest.mark.parametrize(("metric", "told"), [("cut", "--max-tokens"), ("unparsed", "look at the samples")])
def test_many_answers_without_an_end_or_a_meaning_are_told_of_any_suite(metric: str, told: str) -> None:
    cut = replace(ACC, suite="anybody's", task="essays", metric=metric, value=0.11, direction="lower")
    (found,) = _found(cut)
    assert "essays" in found
    assert told in found
    assert not _found(replace(cut, value=0.1))


def test_a_maximum_over_groups_accuses_nobody_where_the_test_counts_no_group() -> None:
    (told,) = _found(LARGEST, COUNT, CROWS)
    assert (
        told == "preference for mask1 on CrowS-Pairs (stereotypes) is 60 (54.4 to 65.4) where 50 would be even-handed."
    )
    found = _found(LARGEST, replace(COUNT, value=2.0), CROWS)
    assert (
        "groups that differ in sentiment on counterfactual continuations (English) is 2 (Holm over 27 groups)"
        in found[1]
    )
    assert len(found) == 2


def test_differences_between_groups_are_judged_whatever_their_attribute() -> None:
    apart = replace(
        CROWS, task="adult", metric="demographic_parity_difference_sex", value=0.3, low=0.2, high=0.4,
        unit="difference", target=0,
    )  # fmt: skip
    ratio = replace(apart, metric="equalized_odds_ratio_race", value=0.3, low=0.1, high=0.5, unit="ratio", target=1)
    (told,) = _found(apart, ratio, replace(apart, task="compas", value=0.05, low=0.0, high=0.1))
    assert "ratio of equalized odds (race) on Adult (income)" in told
    assert "Likewise: Adult (income), difference in demographic parity (sex) 0.3000." in told
    assert "compas" not in told


def test_an_extreme_over_groups_must_be_beyond_what_chance_alone_gives() -> None:
    told, p_value = beside_chance(np.array([0.1, 0.2, 0.3, 0.4]), 0.35)
    apart = replace(
        CROWS, task="adult", metric="demographic_parity_difference_age", value=0.35, low=0.2, high=0.5,
        unit="difference", target=0, interval=f"Newcombe over 10 groups; {told}", p_value=p_value,
    )  # fmt: skip
    assert (told.partition("; ")[2], p_value) == ("p = 0.4", 0.4)
    assert _found(apart) == []
    assert len(_found(replace(apart, p_value=0.001))) == 1


def test_associations_are_judged_by_their_permutation_test_not_by_their_interval() -> None:
    effect = replace(CROWS, task="weat", metric="effect_size", value=0.9, low=0.2, high=1.5, unit="d", target=0)
    permuted = replace(
        effect, metric="p_value", value=0.2, low=None, high=None, unit="p", target=None, direction="higher"
    )
    assert _found(effect, permuted) == []
    assert "effect size on weat" in _found(effect, replace(permuted, value=0.001))[0]


KINDS = [
    CROWS,
    replace(ACC, suite="robustness", metric="relative_drop", direction="lower", value=0.2, low=0.1, high=0.3),
    replace(ACC, suite="privacy", metric="personal_data_rate", direction="lower", value=0.2, low=0.1, high=0.3),
    replace(ACC, suite="calibration", metric="ece_debiased", direction="lower", value=0.3, low=0.2, high=0.4),
    replace(ACC, suite="toxicity", metric="refusal_rate", value=0.2, low=0.1, high=0.3),
    replace(COUNT, value=3.0),
    replace(ACC, low=0.1),
    replace(ACC, task=OVERALL, low=0.2, high=0.9),
    replace(ACC, suite="mine", task="mine", invalid_count=4, n=6),
]


@settings(deadline=None, max_examples=30)
@given(st.sets(st.sampled_from(range(len(KINDS)))))
def test_no_worry_hides_another(chosen: set[int]) -> None:
    assert {*_found(*(KINDS[one] for one in chosen))} == {text for one in chosen for text in _alone(one)}


@cache
def _alone(one: int) -> list[str]:
    return _found(KINDS[one])


@settings(deadline=None, max_examples=50)
@given(st.floats(-1, 1), st.floats(0.01, 1))
def test_a_p_value_is_that_of_the_z_test_behind_a_normal_interval(value: float, stderr: float) -> None:
    half = stats.norm.ppf(0.975) * stderr
    one = replace(CROWS, value=value, low=value - half, high=value + half, target=0)
    expected = 2 * stats.norm.sf(abs(value) / stderr)
    found = findings([one], [one])
    assert [each.p_value for each in found] == ([pytest.approx(expected)] if expected < 0.05 else [])


def test_a_family_of_scores_that_are_as_they_ought_to_be_seldom_worries() -> None:
    """Of 400 families of ten true nulls at most 5 % alarm: 31 is beyond what 5 % give once in 100."""
    rng, half = np.random.default_rng(0), stats.norm.ppf(0.975)
    families = [
        [replace(CROWS, value=x, low=x - half, high=x + half, target=0) for x in rng.normal(size=10)]
        for _ in range(400)
    ]
    assert sum(bool(findings(family, family)) for family in families) <= stats.binom.ppf(0.99, 400, 0.05)


def test_the_surest_comes_first() -> None:
    surer = replace(KINDS[1], value=0.4, low=0.35, high=0.45)
    assert "Noise" in _found(CROWS, surer)[0]
    assert "Noise" not in _found(CROWS, replace(surer, value=0.06, low=0.051, high=0.07))[0]
