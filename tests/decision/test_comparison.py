"""Runs held against each other, through the public functions, on sealed records."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from harness.core.errors import RecordError
from harness.core.metrics import Mean
from harness.core.scores import Score
from harness.core.statistics.paired.tango import tango
from harness.decision.comparison import Change, Comparison, MetricDifference, compare, compare_all
from harness.decision.flips import said
from harness.decision.telling.differences import in_order, shortlist
from harness.metrics.standard import MACRO_F1, TOKEN_PERPLEXITY
from tests.decision.runs import ACC, flipped, reading, scores_of, sealed, task_spec, without_metrics


def only(comparison, level="metric", metric="acc"):
    (found,) = [one for one in comparison.at(level) if one.metric == metric]
    return found


def test_a_share_is_compared_by_its_changed_samples(tmp_path):
    before, after = flipped(200, gained=5, lost=30)
    first, second = (sealed(tmp_path, name, scores_of(values)) for name, values in (("a", before), ("b", after)))
    found = only(compare(first, second))
    assert (found.gained, found.lost, found.n) == (5, 30, 200)
    assert found.difference == pytest.approx(-25 / 200)
    assert (found.low, found.high) == pytest.approx(tango(5, 30, 200))
    assert found.p_value == pytest.approx(stats.binomtest(5, 35).pvalue)
    assert found.change == "worse"
    assert only(compare(second, first)).change == "better"


def test_the_headline_of_one_task_is_that_of_the_task(tmp_path):
    before, after = flipped(200, gained=5, lost=30)
    comparison = compare(sealed(tmp_path, "a", scores_of(before)), sealed(tmp_path, "b", scores_of(after)))
    assert only(comparison, "suite").low == only(comparison).low
    assert {one.group for one in comparison.at("group")} == {"sex=female", "sex=male"}
    assert len(comparison.flips) == 35
    assert sum(flip.gained for flip in comparison.flips) == 5


def test_who_gained_is_who_has_it_right_whichever_way_is_better(tmp_path):
    slips, leaning = replace(ACC, direction="lower"), replace(ACC, direction=None, target=0.5)
    before, after = flipped(200, gained=5, lost=30)  # five go from 0 to 1
    runs = [sealed(tmp_path, name, scores_of(one), metrics=[slips]) for name, one in (("a", before), ("b", after))]
    comparison = compare(*runs)
    assert (only(comparison).gained, only(comparison).lost, only(comparison).change) == (30, 5, "better")
    assert sum(flip.gained for flip in comparison.flips) == 30
    runs = [sealed(tmp_path, name, scores_of(one), metrics=[leaning]) for name, one in (("c", before), ("d", after))]
    assert only(compare(*runs)).gained is None
    assert not compare(*runs).flips


def test_several_runs_share_one_correction(tmp_path):
    first = sealed(tmp_path, "a", scores_of(flipped(100, 0, 0)[0]))
    others = [sealed(tmp_path, name, scores_of(flipped(100, 1, lost)[1])) for name, lost in (("b", 9), ("c", 7))]
    alone = only(compare(first, others[0]))
    together = [only(one) for one in compare_all(first, others)]
    assert alone.p_holm == alone.p_value
    assert together[0].p_holm == pytest.approx(2 * together[0].p_value)
    assert alone.change == "worse"


def test_a_run_is_not_different_from_itself(tmp_path):
    record = sealed(tmp_path, "a", scores_of(flipped(60, 0, 0)[0]))
    comparison = compare(record, record)
    assert {one.change for one in comparison.differences} == {"no difference shown"}
    assert comparison.relation == "both are the same checkpoint"


def test_f1_is_resampled_in_pairs(tmp_path):
    generator = np.random.default_rng(2)
    gold = generator.choice(["yes", "no"], 300)
    wrong = {"yes": "no", "no": "yes"}
    good, bad = (
        [wrong[one] if miss else one for one, miss in zip(gold, generator.random(300) < rate, strict=True)]
        for rate in (0.1, 0.4)
    )

    def labelled(said):
        return [
            Score(sample_id=str(i), metric="macro_f1", gold=str(one), predicted=str(other))
            for i, (one, other) in enumerate(zip(gold, said, strict=True))
        ]

    first, second = (
        sealed(tmp_path, name, labelled(said), metrics=(MACRO_F1,)) for name, said in (("a", good), ("b", bad))
    )
    found = only(compare(first, second), metric="macro_f1")
    assert found.method is not None
    assert "bootstrap" in found.method
    assert found.change == "worse"
    assert found.low < found.difference < found.high < 0


def test_what_is_no_mean_of_a_known_kind_has_no_test_and_says_why(tmp_path):
    odd = Mean(name="acc", unit="share", direction="higher", source="-")
    values = [0.0, 1.0, 1.0, 0.0] * 10
    first, second = (sealed(tmp_path, name, scores_of(values), metrics=(odd,)) for name in "ab")
    assert only(compare(first, second)).reason is None
    named = [Score(sample_id=str(i), metric="mystery", value=float(i), weight=2.0) for i in range(30)]
    doubled = _Doubled(name="mystery", unit="-", direction="higher", source="-")
    first, second = (sealed(tmp_path / "odd", name, named, metrics=(doubled,)) for name in "ab")
    found = only(compare(first, second), metric="mystery")
    assert "is in no installed package that registers anything with the harness" in (found.reason or "")
    first, second = map(without_metrics, (first, second))
    found = only(compare(first, second), metric="mystery")
    assert found.change == "not tested"
    assert found.reason == "mystery is not a mean, and the task that defines it is not installed"
    assert found.difference == 0


class _Doubled(Mean):
    def reduce(self, scores, rng):
        plain = super().reduce(scores, rng)
        return type(plain)(value=2 * plain.value, stderr=None, low=None, high=None, method=None)


def test_perplexity_per_token_is_not_compared_across_tokenizers(tmp_path):
    scores = [Score(sample_id=str(i), metric="token_perplexity", value=3.0 + i % 3, weight=2.0) for i in range(40)]
    first, second = (
        sealed(
            tmp_path,
            name,
            scores,
            metrics=(TOKEN_PERPLEXITY,),
            checkpoint={"files": {"tokenizer.json": name}},
        )
        for name in "ab"
    )
    found = only(compare(first, second), metric="token_perplexity")
    assert found.reason == "tokens of different tokenizers can't be compared"


def test_groups_that_hang_on_the_answer_are_not_compared(tmp_path):
    values = [0.0, 1.0] * 20
    first = sealed(tmp_path, "a", scores_of(values))
    moved = [
        Score(sample_id=score.sample_id, metric="acc", value=score.value, groups={"sex": "male"})
        for score in scores_of(values)[:20]
    ] + scores_of(values)[20:]
    second = sealed(tmp_path, "b", moved)
    for one in compare(first, second).at("group"):
        assert one.reason == "the answers decide which samples are in the group"


def test_costs_stand_side_by_side_and_energy_is_never_tested(tmp_path):
    values = [0.0, 1.0] * 20
    parent = sealed(tmp_path, "a", scores_of(values), measurements=[reading(100.0)])
    child = sealed(
        tmp_path,
        "b",
        scores_of(values),
        measurements=[reading(50.0)],
        checkpoint={"size_bytes": 250, "parent_fingerprint": "a" * 64},
    )
    comparison = compare(parent, child)
    ratios = {cost.name: cost.ratio for cost in comparison.costs}
    assert ratios == {"size_bytes": 0.25, "peak_memory_bytes": 1.0, "energy_joules": 0.5}
    assert comparison.relation == "the second checkpoint is an adapter on the first"
    assert only(comparison, metric="energy_joules").change == "not tested"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seed": 3}, "the seed: 0 against 3"),
        ({"apply_chat_template": True}, "the chat template: without it against with it"),
        ({"system_prompt": "Be brief."}, "the system prompt: none against Be brief."),
        ({"tasks": (task_spec(version=2),)}, "quiz/foxes: version of the task 1 against 2"),
        ({"tasks": (task_spec(requests_sha256="1" * 64),)}, "quiz/foxes: prompts"),
        ({"tasks": (task_spec(num_fewshot=5, sample_count=9),)}, "samples 100 against 9, exemplars 0 against 5"),
        ({"tasks": (task_spec(task="hares"),)}, "the tasks: none is in both"),
    ],
)
def test_runs_of_something_else_are_refused_with_what_differs(tmp_path, changes, words):
    values = [0.0, 1.0] * 20
    first, second = sealed(tmp_path, "a", scores_of(values)), sealed(tmp_path, "b", scores_of(values), **changes)
    with pytest.raises(RecordError) as refused:
        compare(first, second)
    assert words in str(refused.value)


def test_invalid_samples_are_left_out_of_a_comparison(tmp_path):
    before, after = flipped(100, gained=0, lost=20)
    first = sealed(tmp_path, "a", scores_of(before))
    second = sealed(tmp_path, "b", scores_of([None, *after[1:]]), metrics=(ACC,))
    found = only(compare(first, second))
    assert found.n == 99
    assert found.invalid_share == 0.01


def test_a_choice_is_named_by_its_text_wherever_its_number_is_one():
    choices = ["yes", " no "]
    assert [said(label, choices) for label in ("0", "1", "2", "maybe", None)] == ["yes", "no", "2", "maybe", None]
    assert said("0", ["a text alone is no choice"]) == "0"


def difference(task: str, metric: str, change: Change, p_holm: float | None = None) -> MetricDifference:
    return MetricDifference(
        level="suite" if task == "overall" else "metric",
        suite="quiz",
        task=task,
        metric=metric,
        group=None,
        unit="share",
        direction="higher",
        target=None,
        first=0.5,
        second=0.4,
        difference=-0.1,
        p_holm=p_holm,
        change=change,
    )


def test_of_many_differences_dimensions_come_first_then_the_tasks_that_differ_the_worse_first():
    dull = [difference(f"task {place}", "acc", "no difference shown", 1.0) for place in range(50)]
    telling = [
        difference("gained", "acc", "better", 0.001),
        difference("lost", "f1", "worse", 0.001),
        difference("lost", "acc", "worse", 0.04),
        *(difference(f"lost {place}", "acc", "worse", 0.02) for place in range(30)),
    ]
    whole = [*dull, *telling, difference("overall", "acc", "no difference shown", 0.3)]
    comparison = Comparison(
        first_run_id="a",
        second_run_id="b",
        first_model="a",
        second_model="b",
        relation=None,
        conditions=(),
        differences=tuple(whole),
        costs=(),
        flips=(),
    )
    shown = shortlist(comparison, {("quiz", "lost", "acc")})
    assert [one.task for one in shown[:1]] == ["overall"]
    assert len(shown) == 21
    assert shown[-1].task == "gained"
    assert all(one.change == "worse" for one in shown[1:-1])
    assert sum(one.task == "lost" for one in in_order(whole)) == 2
    assert not any(one.task == "lost" and one.metric == "f1" for one in shown)
    few = replace(comparison, differences=tuple(whole[-5:]))
    assert [one.task for one in shortlist(few, ())] == ["overall", *(f"lost {place}" for place in range(26, 30))]
