"""What to worry about, on scores made up so that the rules must speak or be silent."""

from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest

from harness.core.headlines import OVERALL
from harness.core.scores import Estimate
from harness.decision.comparison import compare
from harness.report.chance import chance_level
from harness.report.words import Words
from harness.report.worries import worries
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


def test_a_sure_loss_to_the_baseline_is_told_and_a_chance_one_is_not(tmp_path) -> None:
    for lost, told in ((40, ["Worse than the baseline beyond doubt: quiz (acc) 0.5000 → 0.4000."]), (4, [])):
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


def test_at_most_three_are_told_and_one_a_suite() -> None:
    many = [
        replace(ACC, low=0.1),
        replace(ACC, suite="robustness", metric="relative_drop", direction="lower", value=0.2, low=0.1),
        replace(ACC, suite="privacy", metric="personal_data_rate", direction="lower", value=0.2, low=0.1),
        replace(ACC, suite="calibration", metric="ece_debiased", direction="lower", value=0.3, low=0.2),
        replace(ACC, task=OVERALL, low=0.2, high=0.9),
    ]
    assert len(_found(*many)) == 3
