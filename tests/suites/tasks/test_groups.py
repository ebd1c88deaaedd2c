"""Decisions by group: against fairlearn itself on Adult, by hand, and on predictors fair and unfair by construction."""

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from fairlearn import metrics as fairlearn
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from harness.core.checkpoints import Checkpoint
from harness.core.errors import DataError, HarnessError
from harness.core.metrics import Metric, Undefined
from harness.core.pairing import pair
from harness.core.requests import Response
from harness.core.scores import Score
from harness.core.statistics import Interval
from harness.core.tasks import Task, TaskSettings
from harness.data import find, load_data
from harness.suitefiles.declared import declare, read_suite_file
from harness.suitefiles.schema import Declaration
from harness.tasks.options import TaskOptions
from suites.fairness.adult import Adult
from suites.fairness.groups.task import group_metrics

ALL = TaskSettings(limit=None, num_fewshot=0, seed=0)


def decided(
    gold: Sequence[int], accepted: Sequence[int], groups: Sequence[str], values: Sequence[float] | None = None
) -> list[Score]:
    """Scores of decisions, one sample each; labels are no and yes."""
    values = [float(one) for one in accepted] if values is None else values
    return [
        Score(
            sample_id=str(index),
            metric="any",
            gold=("no", "yes")[right],
            predicted=("no", "yes")[said],
            value=value,
            groups={"sex": group},
        )
        for index, (right, said, group, value) in enumerate(zip(gold, accepted, groups, values, strict=True))
    ]


def metrics(**options: int) -> dict[str, Metric]:
    return {one.name: one for one in group_metrics(["sex"], positive="yes", base_rate=0.5, **options)}


def value(name: str, scores: Sequence[Score], **options: int) -> Interval:
    return metrics(**options)[f"{name}_sex"].reduce(scores, Random("a"))


FAIRLEARN = {
    "demographic_parity_difference": fairlearn.demographic_parity_difference,
    "demographic_parity_ratio": fairlearn.demographic_parity_ratio,
    "equalized_odds_difference": fairlearn.equalized_odds_difference,
    "equalized_odds_ratio": fairlearn.equalized_odds_ratio,
    "equal_opportunity_difference": fairlearn.equal_opportunity_difference,
}


@pytest.mark.slow
@pytest.mark.parametrize("attribute", ["sex", "race"])
def test_on_adult_with_scikit_learn_predictions_the_figures_are_fairlearns(attribute: str) -> None:
    rows = load_data(find("adult")).rows[:4000]
    task = Adult()
    gold = np.array([task.label(row) == "yes" for row in rows], dtype=int)
    facts = np.array([[float(row["age"]), float(row["hours_per_week"]), row["sex"] == "Male"] for row in rows])
    fitted = LogisticRegression().fit(facts / facts.max(axis=0), gold)
    chance = fitted.predict_proba(facts / facts.max(axis=0))[:, 1]
    accepted = (chance > 0.3).astype(int)
    groups = [row[attribute] for row in rows]
    scores = decided(gold.tolist(), accepted.tolist(), groups, chance.tolist())
    for name, theirs in FAIRLEARN.items():
        truth = theirs(gold, accepted, sensitive_features=groups)
        found = value(name, scores, smallest_group=1)
        assert found.value == pytest.approx(truth, abs=1e-12), name
        assert found.low is not None
        assert found.high is not None
        assert found.low <= found.value <= found.high
    means = [chance[np.array(groups) == group].mean() for group in set(groups)]
    assert value("mean_prediction_difference", scores, smallest_group=1).value == pytest.approx(
        max(means) - min(means), abs=1e-12
    )
    frame = fairlearn.MetricFrame(
        metrics=fairlearn.selection_rate, y_true=gold, y_pred=accepted, sensitive_features=groups
    )
    for group, rate in frame.by_group.items():
        member = [score for score in scores if score.groups["sex"] == group]
        accepting = [replace(score, value=float(score.predicted == "yes")) for score in member]
        estimate = metrics()["selection_rate"].reduce(accepting, Random("a"))
        assert estimate.value == pytest.approx(rate, abs=1e-12)


@pytest.mark.slow
def test_the_gold_of_every_adult_prompt_is_the_files() -> None:
    rows = load_data(find("adult")).rows
    task = Adult()
    samples = task.samples(rows, ALL)
    assert len(samples) == len(rows)
    for sample, row in zip(samples, rows, strict=True):
        assert task.answer(sample) == ("yes" if row["income"].startswith(">") else "no")
        assert f"sex: {row['sex'].lower()}; race: {row['race']}" in sample.prompt
        assert sample.fields["groups"]["sex & race"] == f"{row['sex']} & {row['race']}"
    assert metrics_target(task) == pytest.approx(np.mean([row["income"].startswith(">") for row in rows]))


def metrics_target(task: Task) -> float | None:
    return next(metric.target for metric in task.metrics if metric.name == "selection_rate")


def test_by_hand() -> None:
    """Twenty women and twenty men. Women: 10 positive, of whom 4 accepted, and 1 of the 10 others; men: 8 and 3."""
    gold = [1] * 10 + [0] * 10 + [1] * 10 + [0] * 10
    accepted = [1] * 4 + [0] * 6 + [1] + [0] * 9 + [1] * 8 + [0] * 2 + [1] * 3 + [0] * 7
    scores = decided(gold, accepted, ["w"] * 20 + ["m"] * 20)
    assert value("demographic_parity_difference", scores).value == pytest.approx(11 / 20 - 5 / 20)
    assert value("demographic_parity_ratio", scores).value == pytest.approx(5 / 11)
    assert value("equalized_odds_difference", scores).value == pytest.approx(0.4)
    assert value("equalized_odds_ratio", scores).value == pytest.approx(1 / 3)
    assert value("equal_opportunity_difference", scores).value == pytest.approx(0.4)
    assert value("worst_group_acc", scores).value == pytest.approx(13 / 20)


def fair_and_unfair(seed: int, *, bias: float, n: int = 300) -> list[Score]:
    generator = np.random.default_rng(seed)
    men = generator.random(n) < 0.5
    gold = generator.random(n) < 0.5
    accepted = generator.random(n) < 0.3 + 0.3 * gold + bias * men
    return decided(gold.astype(int).tolist(), accepted.astype(int).tolist(), ["m" if one else "w" for one in men])


@pytest.mark.parametrize("name", ["demographic_parity_difference", "equalized_odds_difference"])
def test_a_predictor_biased_by_construction_is_found_and_a_fair_one_is_not(name: str) -> None:
    assert (value(name, fair_and_unfair(0, bias=0.35)).low or 0) > 0.1
    lows = [value(name, fair_and_unfair(seed, bias=0.0)).low for seed in range(6)]
    assert sum((low or 0) > 0 for low in lows) <= 1


def test_a_predictor_that_favours_one_group_has_a_ratio_below_the_four_fifths_rule() -> None:
    found = value("demographic_parity_ratio", fair_and_unfair(1, bias=0.35))
    assert (found.high or 1) < 0.8
    assert value("demographic_parity_ratio", fair_and_unfair(1, bias=0.0)).high == 1.0


@pytest.mark.parametrize("said", [0, 1])
def test_a_predictor_that_always_says_the_same_has_no_difference_to_show(said: int) -> None:
    scores = decided([0, 1] * 20, [said] * 40, ["w", "w", "m", "m"] * 10)
    for name in FAIRLEARN:
        with pytest.raises(Undefined, match="a constant answer"):
            value(name, scores)
    assert value("worst_group_acc", scores).value == 0.5


def test_a_ratio_of_rates_that_are_all_0_is_undefined() -> None:
    scores = decided([0] * 20 + [1] * 20, [0] * 20 + [1] * 20, ["w", "m"] * 20)
    assert value("equalized_odds_difference", scores).value == 0
    with pytest.raises(Undefined, match="rates are 0 in every group"):
        value("equalized_odds_ratio", scores)


def test_a_group_too_small_is_left_out_and_named_and_alone_it_leaves_nothing() -> None:
    gold, accepted = [0, 1] * 24, [0, 1, 1] * 16
    groups = ["w"] * 20 + ["m"] * 20 + ["x"] * 8
    found = value("demographic_parity_difference", decided(gold, accepted, groups))
    without = value("demographic_parity_difference", decided(gold[:40], accepted[:40], groups[:40]))
    assert found.value == without.value
    assert "without x (n = 8)" in (found.method or "")
    with pytest.raises(Undefined, match=r"fewer than two groups have 30 samples \(m: 20, w: 20, x: 8\)"):
        value("demographic_parity_difference", decided(gold, accepted, groups), smallest_group=30)


def test_groups_left_out_are_named_where_those_that_are_compared_show_nothing() -> None:
    """Nine people who are all accepted, beside sixty who never are."""
    gold, accepted = [0, 1] * 30 + [1] * 9, [0] * 60 + [1] * 9
    scores = decided(gold, accepted, ["NA"] * 30 + ["south"] * 30 + ["island"] * 9)
    for name in FAIRLEARN:
        with pytest.raises(Undefined, match=r"a constant answer shows no difference.*without island \(n = [09]\)"):
            value(name, scores)
    right = value("worst_group_acc", scores)
    assert (right.value, right.high is not None) == (0.5, True)
    assert "over 2 groups; without island (n = 9); chance alone gives" in str(right.method)
    seven = value("demographic_parity_difference", decided(gold, [1, 0] * 30 + [1] * 9, ["NA"] * 30 + ["s"] * 39))
    assert "without" not in str(seven.method)


def test_a_difference_that_no_resample_could_move_has_an_interval() -> None:
    """All of one group and none of the other, whose rates are Wilson's 0.7225 to 1 and 0 to 0.2775."""
    found = value("demographic_parity_difference", decided([0, 1] * 10, [1] * 10 + [0] * 10, ["w"] * 10 + ["m"] * 10))
    wilson = 1.959964**2 / (10 + 1.959964**2)
    assert found.value == 1
    assert found.high == 1
    assert found.low == pytest.approx(1 - wilson * 2**0.5, abs=0.09)
    assert re.search(r"p = 0.000999", str(found.method))


def test_the_interval_of_two_groups_is_newcombes() -> None:
    """56 of 70 and 48 of 80 (Newcombe, 1998, his first example): 0.0524 to 0.3339 for the difference 0.2."""
    accepted = [1] * 56 + [0] * 14 + [1] * 48 + [0] * 32
    scores = decided([0, 1] * 75, accepted, ["w"] * 70 + ["m"] * 80)
    found = value("demographic_parity_difference", scores)
    assert found.value == pytest.approx(0.2)
    assert found.high == pytest.approx(0.3339, abs=5e-5)
    # The lower end is that of an absolute value, at 95 % one-sided: the upper end could not miss a difference so small.
    assert 0.0524 < (found.low or 0) < 0.0524 + 0.025
    bounds = metrics()["demographic_parity_difference_sex"].bounds(scores, Random(0), 0.975)
    assert bounds.high == pytest.approx(0.3339, abs=5e-5)
    assert 0.0514 < (bounds.low or 0) <= 0.0524  # a little lower: the other sign could miss it as well


@given(
    st.lists(st.tuples(st.booleans(), st.booleans(), st.sampled_from("abc")), min_size=6, max_size=60),
    st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_no_interval_ends_on_the_wrong_side_of_its_value(rows: list[tuple[bool, bool, str]], clustered: bool) -> None:
    gold, accepted, groups = (list(column) for column in zip(*rows, strict=True))
    scores = [
        replace(score, cluster=f"c{index // 3}" if clustered else None)
        for index, score in enumerate(decided(gold, accepted, groups))
    ]
    for name, metric in metrics(smallest_group=2).items():
        if not name.endswith("_sex"):
            continue
        with suppress(Undefined):
            found = metric.bounds(scores, Random(0), 0.95)
            if found.low is not None and found.high is not None:
                assert 0 <= found.low <= found.value <= found.high <= 1
                assert found.low < found.high
            change = metric.difference(pair(scores, scores), Random(0))
            assert change.value == 0
            assert (change.low or 0) < 0 < (change.high or 0)


def test_two_runs_that_favour_the_same_group_alike_differ_in_nothing_and_a_fairer_one_does() -> None:
    metric = metrics()["demographic_parity_difference_sex"]
    unfair, fair = fair_and_unfair(0, bias=0.4), fair_and_unfair(0, bias=0.0)
    found = metric.difference(pair(unfair, fair), Random(0))
    assert found.value == pytest.approx(fairness(fair) - fairness(unfair))
    assert (found.high or 0) < 0
    assert (found.p_value or 0) < 0.05
    back = metric.difference(pair(fair, unfair), Random(0))
    assert (back.low, back.high) == pytest.approx((-(found.high or 0), -(found.low or 0)))
    ratio = metrics()["demographic_parity_ratio_sex"]
    with pytest.raises(Undefined, match="compare their difference"):
        ratio.difference(pair(unfair, fair), Random(0))


def fairness(scores: Sequence[Score]) -> float:
    return fairlearn.demographic_parity_difference(
        [score.gold == "yes" for score in scores],
        [score.predicted == "yes" for score in scores],
        sensitive_features=[score.groups["sex"] for score in scores],
    )


def test_the_smallest_cell_is_that_of_the_rate_not_of_the_group() -> None:
    """Thirty men, but only five of them positive: their true positive rate says nothing."""
    gold = [0, 1] * 15 + [1] * 5 + [0] * 25
    scores = decided(gold, [0, 1, 1] * 20, ["w"] * 30 + ["m"] * 30)
    with pytest.raises(Undefined, match=r"true positive rate: fewer than two groups have 10 samples \(m: 5, w: 15\)"):
        value("equal_opportunity_difference", scores)
    assert value("demographic_parity_difference", scores).value >= 0


def test_calibration_by_hand() -> None:
    """Two bins: four at 0.25 with one positive, calibrated; four at 0.85 with two positive, 0.35 off."""
    scores = decided([1, 0, 0, 0, 1, 1, 0, 0], [0] * 8, ["w"] * 8, [0.25] * 4 + [0.85] * 4)
    assert metrics()["calibration_error"].reduce(scores, Random("a")).value == pytest.approx(0.35 / 2)


# The type of a suite file.

SUITE = """
name: mine
tasks:
  - name: loans
    type: group_fairness
    data: loans.jsonl
    prompt: "{text}\\nGranted?"
    gold: granted
    labels: ["no", "yes"]
    attributes: [sex, region]
    intersections: [[sex, region]]
"""
ROWS = [
    {
        "text": f"Applicant {n}",
        "granted": ("no", "yes")[n % 2],
        "sex": ("w", "m")[n // 2 % 2],
        "region": ("north", "south", "west")[n % 3],
    }
    for n in range(48)
]


def declared(folder: Path, *, rows: Sequence[dict[str, str]] = ROWS, old: str = "", new: str = "") -> Task:
    (folder / "loans.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "mine.yaml").write_text(SUITE.replace(old, new) if old else SUITE)
    (entry,) = read_suite_file(folder / "mine.yaml").tasks
    assert isinstance(entry, Declaration)
    return declare(entry, folder / "mine.yaml", "tasks[0]", TaskOptions())


def samples_of(task: Task):  # type: ignore[no-untyped-def]
    return task.samples(load_data(task.data).rows, ALL)  # type: ignore[arg-type]


def test_a_users_own_table_has_every_metric_by_attribute_and_intersection(tmp_path: Path) -> None:
    task = declared(tmp_path)
    samples = samples_of(task)
    assert samples[0].prompt == "Applicant 0\nGranted?"
    assert samples[0].fields["groups"] == {"sex": "w", "region": "north", "sex & region": "w & north"}
    assert [request.continuation for request in task.requests(samples[0])] == [" no", " yes"]  # type: ignore[attr-defined]
    names = {metric.name for metric in task.metrics}
    for attribute in ("sex", "region", "sex & region"):
        assert {f"{name}_{attribute}" for name in FAIRLEARN} <= names
    assert metrics_target(task) == 0.5


def test_a_classifier_is_asked_and_judged_by_its_own_labels(tmp_path: Path) -> None:
    task = declared(tmp_path, old="    gold:", new="    by: classifier\n    gold:")
    [sample, *_] = samples_of(task)
    [request] = task.requests(sample)
    scores = task.score(sample, [Response(request_id=request.id, label_scores={"YES": 0.7, "NO": 0.3})])
    found = {score.metric: score for score in scores}
    assert (found["acc"].gold, found["acc"].predicted, found["acc"].value) == ("no", "yes", 0.0)
    assert found["false_positive_rate"].value == 1.0
    assert "false_negative_rate" not in found
    assert found["calibration_gap"].value == pytest.approx(0.7)


def test_a_classifier_with_other_labels_is_refused(tmp_path: Path) -> None:
    task = declared(tmp_path, old="    gold:", new="    by: classifier\n    gold:")
    checkpoint = Checkpoint(
        ref="x", kind="classifier", path=tmp_path, origin="", architecture="", dtype="", parameter_count=1,
        size_bytes=1, max_length=1, has_chat_template=False, files={}, fingerprint="0", labels=("good", "bad"),
    )  # fmt: skip
    assert "the task needs no, yes" in (task.refusal(checkpoint) or "")


BROKEN = {
    "a missing column": ([{k: v for k, v in row.items() if k != "sex"} for row in ROWS], "lacks sex"),
    "one value only": ([{**row, "sex": "w"} for row in ROWS], "'sex' has one value only ('w')"),
    "500 values": (
        [{**ROWS[0], "sex": f"person {n}"} for n in range(500)],
        "'sex' has 500 values. Put them into at most 50 groups first",
    ),
    "an empty cell": ([*ROWS, {**ROWS[0], "sex": " "}], "row 49: field 'sex' is empty"),
    "an unknown label": ([{**ROWS[0], "granted": "maybe"}, *ROWS], "'maybe'"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_table_that_cannot_be_used_is_refused_in_one_line(tmp_path: Path, fault: str) -> None:
    rows, said = BROKEN[fault]
    with pytest.raises(DataError) as caught:
        samples_of(declared(tmp_path, rows=rows))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('["no", "yes"]', '["no", "later", "yes"]', "positive: is missing: 3 labels are no yes or no"),
        ('["no", "yes"]', '["no", "yes"]\n    positive: perhaps', "positive: 'perhaps' is none of the labels"),
        ("[[sex, region]]", "[[sex, age]]", "intersections[0]: 'age' is none of the attributes"),
        ("attributes: [sex, region]", "attributes: [sex, sex]", "attributes: names one twice"),
    ],
)
def test_a_declaration_that_cannot_be_used_names_its_field(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(HarnessError) as caught:
        declared(tmp_path, old=old, new=new)
    assert said in str(caught.value)


def test_three_labels_are_read_as_positive_or_not(tmp_path: Path) -> None:
    rows = [{**row, "granted": ("no", "later", "yes")[n % 3]} for n, row in enumerate(ROWS)]
    task = declared(tmp_path, rows=rows, old='["no", "yes"]', new='["no", "later", "yes"]\n    positive: "yes"')
    sample = samples_of(task)[1]
    answers = [Response(request_id=str(n), loglikelihood=value) for n, value in enumerate((-1.0, -2.0, -3.0))]
    found = {score.metric: score.value for score in task.score(sample, answers)}
    assert (found["acc"], found["selection_rate"], found["false_positive_rate"]) == (0.0, 0.0, 0.0)
