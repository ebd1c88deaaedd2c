"""Bounds of a run that ended early, on runs of given scores: what they count, and what they don't hold."""

import math
from dataclasses import replace

import pytest

from harness.core.metrics import Mean, MeanShare
from harness.core.scores import SampleGroup
from harness.core.statistics.anytime.asymptotic import asymptotic_log_wealth, asymptotic_radius
from harness.core.statistics.anytime.shares import share_log_wealth
from harness.decision.contrasts import READINGS
from harness.decision.judging import Judge
from harness.decision.keys import Key
from harness.decision.policy import Policy, Rule
from harness.decision.scored import Scored
from harness.decision.sequential.bounds import ASYMPTOTIC, BETTING, OTHER_SAMPLES, AnytimeBounds
from harness.decision.sequential.units import Order
from tests.decision.runs import measured, scores_of, sealed

ACC = Key("quiz", "foxes", "acc")
OPEN = Mean(name="acc", unit="points", direction="higher", source="-")
"""A mean of values without ends."""


def bounds(run, baseline=None):
    ids = frozenset(score.sample_id for scores in Scored(run).scores.values() for score in scores)
    order = Order(seed=0, looks=[{("quiz", "foxes"): ids}], sizes={})
    return AnytimeBounds(Scored(run), Scored(baseline) if baseline else None, 0.95, order)


def families(values, size):
    """Every sample `size` times over, in a cluster of its own."""
    return [
        replace(score, sample_id=f"{score.sample_id}-{number}", cluster=score.sample_id)
        for score in scores_of(values)
        for number in range(size)
    ]


def test_ten_variants_of_a_question_are_no_more_sure_than_one(tmp_path):
    values = [float(number % 3 > 0) for number in range(60)]
    found = bounds(sealed(tmp_path, "a", families(values, 10))).alone(ACC, None)
    # The standard error of 60 independent values, but for the one that the jackknife of 59 has for it.
    stderr = math.sqrt(2 / 9 / 59)
    assert found.method == ASYMPTOTIC
    assert found.low == pytest.approx(2 / 3 - asymptotic_radius(stderr, 60, 0.95, 300), abs=1e-9)
    assert bounds(sealed(tmp_path, "b", scores_of(values))).alone(ACC, None).method == BETTING


def test_a_change_is_of_as_many_independent_samples_as_there_are_clusters(tmp_path):
    before = sealed(tmp_path, "a", families([float(number % 2) for number in range(40)], 5))
    now = sealed(tmp_path, "b", families([float(number % 3 > 0) for number in range(40)], 5))
    difference = bounds(now, before).against(ACC, 0.1).difference
    assert (difference.n, difference.cluster_count) == (200, 40)


def test_samples_that_can_not_be_used_count_as_the_worst_where_values_have_no_ends(tmp_path):
    values = [float(number % 10) for number in range(99)]
    whole = bounds(sealed(tmp_path, "a", scores_of([*values, 0.0]), metrics=(OPEN,))).alone(ACC, None)
    holed = bounds(sealed(tmp_path, "b", scores_of([*values, None]), metrics=(OPEN,))).alone(ACC, None)
    assert (holed.value, holed.low, holed.high) == pytest.approx((whole.value, whole.low, whole.high))


def test_one_answer_of_the_first_ones_that_can_not_be_used_is_no_error_yet_and_many_are(tmp_path):
    def verdict(name, holes, count):
        values = [None] * holes + [1.0] * (count - holes)
        run = Scored(sealed(tmp_path, name, scores_of(values)))
        ids = frozenset(score.sample_id for scores in run.scores.values() for score in scores)
        rule = Rule(kind="floor", suite="quiz", task="foxes", metric="acc", bound=0.5)
        policy = Policy(format=1, name="p", rules=[rule])
        order = Order(seed=0, looks=[{("quiz", "foxes"): ids}], sizes={})
        found = Judge(policy, run, None, AnytimeBounds(run, None, 0.95, order)).judge(rule)
        fixed = Judge(policy, run, None).judge(rule)
        assert found is not None
        assert fixed is not None
        return found.verdict, fixed.verdict

    assert verdict("a", 1, 64) == ("INCONCLUSIVE", "ERROR")
    assert verdict("b", 16, 64) == ("ERROR", "ERROR")
    assert verdict("c", 1, 128) == ("PASS", "PASS")


def test_the_evidence_that_a_share_is_larger_is_no_more_than_a_bet_is_worth():
    # By hand: of one thing that is a hit, the larger shares say it with (1 + s) / 2 on average, the share s with s.
    assert share_log_wealth(1, 1, 0.25) == pytest.approx(math.log(0.625 / 0.25))
    # What it is worth after ten things is 1 on average where the share is true, and less where it is smaller.
    for true, most in ((0.1, 1.0), (0.05, 0.9)):
        chances = [math.comb(10, hits) * true**hits * (1 - true) ** (10 - hits) for hits in range(11)]
        worth = sum(c * math.exp(share_log_wealth(hits, 10, 0.1)) for hits, c in enumerate(chances))
        assert worth <= most + 1e-9
    assert share_log_wealth(1, 50, 0.0) == math.inf


def test_numbers_a_token_of_other_tokenizers_are_not_held_against_each_other(tmp_path):
    metric = MeanShare(name="acc", unit="per token", direction="lower", source="-")
    before, now = (
        sealed(tmp_path, name, scores_of([0.5] * 60), metrics=(metric,), checkpoint={"files": {"vocab.txt": name}})
        for name in "ab"
    )
    contrast = bounds(now, before).against(ACC, 0.1)
    assert contrast.difference is None
    assert "tokenizers" in contrast.reason


def test_what_a_machine_used_for_other_samples_is_no_difference(tmp_path):
    before = sealed(tmp_path, "a", scores_of([1.0] * 60), **measured(100.0))
    now = sealed(tmp_path, "b", scores_of([1.0] * 60), **measured(10.0))
    contrast = bounds(now, before).against(Key("energy", "run", "energy_joules"), 1.0)
    assert contrast.difference is None
    assert contrast.reason == OTHER_SAMPLES != READINGS


def test_groups_that_did_not_change_in_many_samples_raise_no_alarm(tmp_path):
    runs = [sealed(tmp_path, name, scores_of([1.0] * 40_000)) for name in "ab"]
    judge = bounds(*runs)
    keys = [ACC._replace(group=SampleGroup("sex", sex)) for sex in ("female", "male")]
    gains = [(key, judge.against(key, 0.05).difference) for key in keys]
    assert judge.alarms(gains, 0.05, 1.0) == [1.0, 1.0]


def test_a_group_that_fell_far_raises_an_alarm_by_an_approximate_bound_too(tmp_path):
    falls = [float(number % 7) - (number % 2) * 3 for number in range(400)]
    before = sealed(
        tmp_path, "a", scores_of([float(number % 7) for number in range(400)]), metrics=(replace(OPEN, by=("sex",)),)
    )
    now = sealed(
        tmp_path,
        "b",
        scores_of([fall + number % 5 / 10 for number, fall in enumerate(falls)]),
        metrics=(replace(OPEN, by=("sex",)),),
    )
    judge = bounds(now, before)
    keys = [ACC._replace(group=SampleGroup("sex", sex)) for sex in ("female", "male")]
    gains = [(key, judge.against(key, 0.5).difference) for key in keys]
    fallen, kept = judge.alarms(gains, 0.5, 1.0)
    assert fallen < 0.001
    assert kept == 1.0


@pytest.mark.parametrize("count", [40, 300, 5000])
def test_the_evidence_of_an_approximate_bound_is_its_level_just_at_its_end(count):
    radius = asymptotic_radius(0.1, count, 0.95, 300)
    assert asymptotic_log_wealth(radius, 0.1, count, 0.95, 300) == pytest.approx(math.log(20))
    assert asymptotic_log_wealth(0.0, 0.1, count, 0.95, 300) == 0.0
    assert asymptotic_log_wealth(1e6, 0.1, count, 0.95, 300) > 700
