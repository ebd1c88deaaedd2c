"""Where a score stands: chance, optimum and a baseline, each with a word, through sealed records."""

import pytest
from scipy import stats

from harness.core.metrics import Mean, Proportion
from harness.core.requests import Loglikelihood, Response
from harness.core.scores import OVERALL, Score
from harness.decision.comparison import compare
from harness.decision.context import in_context, score_contexts
from harness.decision.keys import Key
from harness.metrics.standard import ACC as STANDARD_ACC
from harness.metrics.standard import MCC
from harness.metrics.written import ACCURACY, CHANCE
from harness.record.metrics import RecordedMetric
from harness.record.tables import response_row
from suites.calibration.metrics import BRIER
from tests.decision.runs import ACC, flipped, scores_of, sealed, task_spec

ACC_OF_FOXES = Key("quiz", "foxes", "acc")
HEADLINE = Key("quiz", OVERALL, "acc")


def asked(choices, task="foxes"):
    """The requests of a question for each of these numbers of choices."""
    rows = []
    for sample, count in enumerate(choices):
        for position in range(count):
            request = Loglikelihood(context=f"{sample}?", continuation=f" {position}")
            answer = Response(request_id=request.id, loglikelihood=-1.0, is_greedy=False, token_count=1)
            rows.append(response_row("quiz", task, str(sample), position, request, answer))
    return rows


def run_of(root, name, right, n=100, choices=4, **more):
    values = [1.0] * right + [0.0] * (n - right)
    return sealed(root, name, scores_of(values), responses=asked([choices] * n), **more)


@pytest.mark.parametrize(
    ("right", "word"), [(60, "better"), (32, "can't tell"), (25, "can't tell"), (18, "can't tell"), (10, "worse")]
)
def test_a_share_is_told_from_chance_only_beyond_doubt(tmp_path, right, word):
    """The exact test says the same of these."""
    found = score_contexts(run_of(tmp_path, "a", right))[ACC_OF_FOXES]
    assert (found.chance, found.optimum, found.than_chance) == (0.25, 1.0, word)
    assert (stats.binomtest(right, 100, 0.25).pvalue < 0.05) == (word != "can't tell")
    assert (found.baseline, found.than_baseline) == (None, None)


def test_chance_is_that_of_each_question(tmp_path):
    record = sealed(tmp_path, "a", scores_of([1.0, 0.0, 1.0, 0.0]), responses=asked([2, 2, 4, 5]))
    assert score_contexts(record)[ACC_OF_FOXES].chance == pytest.approx((0.5 + 0.5 + 0.25 + 0.2) / 4)


def test_chance_of_a_brier_score_is_that_of_indifference(tmp_path):
    """(1 - 1/k)² for the right one and 1/k² for each other: 1 - 1/k."""
    scores = [Score(sample_id=str(n), metric=BRIER.name, value=0.9) for n in range(4)]
    rows = asked([2, 2, 4, 5], "calibration_piqa")
    record = sealed(tmp_path, "a", scores, metrics=[BRIER], task="calibration_piqa", responses=rows)
    by_hand = [sum(((choice == 0) - 1 / k) ** 2 for choice in range(k)) for k in (2, 2, 4, 5)]
    assert score_contexts(record)[Key("quiz", "calibration_piqa", "brier")].chance == pytest.approx(sum(by_hand) / 4)


def test_the_headline_stands_where_its_parts_do(tmp_path):
    contexts = score_contexts(run_of(tmp_path, "a", 60))
    assert contexts[HEADLINE] == contexts[ACC_OF_FOXES]


def test_groups_have_an_optimum_and_no_chance(tmp_path):
    contexts = score_contexts(run_of(tmp_path, "a", 60))
    groups = [found for key, found in contexts.items() if key.group is not None]
    assert len(groups) == 2
    assert {(one.chance, one.optimum) for one in groups} == {(None, 1.0)}


def test_many_scores_of_a_suite_share_one_level(tmp_path):
    """34 of 100 differ from a quarter at 5 %, but not beside a second score."""
    metrics = [Proportion(name="acc", unit="share", direction="higher", source="-")]
    alone = sealed(tmp_path, "a", scores_of([1.0] * 34 + [0.0] * 66), metrics=metrics, responses=asked([4] * 100))
    assert score_contexts(alone)[ACC_OF_FOXES].than_chance == "better"
    shared = [*metrics, Proportion(name="acc_norm", unit="share", direction="higher", source="-")]
    both = [
        *scores_of([1.0] * 34 + [0.0] * 66),
        *(Score(sample_id=str(n), metric="acc_norm", value=float(n < 25)) for n in range(100)),
    ]
    together = sealed(tmp_path, "b", both, metrics=shared, responses=asked([4] * 100))
    assert score_contexts(together)[ACC_OF_FOXES].than_chance == "can't tell"


def test_a_baseline_is_paired_as_compare_does_it(tmp_path):
    before, after = flipped(200, gained=5, lost=30)
    first, second = (sealed(tmp_path, name, scores_of(values)) for name, values in (("a", before), ("b", after)))
    found = score_contexts(second, compare(first, second))
    assert (found[ACC_OF_FOXES].baseline, found[ACC_OF_FOXES].than_baseline) == (0.5, "worse")
    assert found[HEADLINE].than_baseline == "worse"
    assert score_contexts(first, compare(second, first))[ACC_OF_FOXES].than_baseline == "better"
    assert score_contexts(first, compare(first, first))[ACC_OF_FOXES].than_baseline == "can't tell"
    assert found[next(key for key in found if key.group)].baseline is not None


def test_what_was_written_has_the_chance_that_its_task_tells(tmp_path):
    scores = [
        *(Score(sample_id=str(n), metric=ACCURACY.name, value=float(n < 30)) for n in range(40)),
        *(Score(sample_id=str(n), metric=CHANCE.name, value=0.5 if n % 2 else 0.0) for n in range(40)),
    ]
    record = sealed(tmp_path, "a", scores, metrics=(ACCURACY, CHANCE), tasks=(task_spec(),))
    found = score_contexts(record)[Key("quiz", "foxes", ACCURACY.name)]
    assert (found.chance, found.than_chance) == (0.25, "better")


def test_what_has_no_end_has_no_optimum_and_a_target_is_one(tmp_path):
    metrics = (
        Mean(name="wanted", unit="nats", target=0.5, source="-"),
        Mean(name="open", unit="J", direction="lower", source="-"),
        Mean(name="gap", unit="share", direction="lower", source="-"),
    )
    scores = [Score(sample_id=str(n), metric=one.name, value=n / 9) for one in metrics for n in range(9)]
    contexts = score_contexts(sealed(tmp_path, "a", scores, metrics=metrics))
    assert [contexts[Key("quiz", "foxes", one.name)].optimum for one in metrics] == [0.5, None, 0.0]
    assert {one.chance for one in contexts.values()} == {None}


def test_the_frame_has_a_row_an_estimate(tmp_path):
    record = run_of(tmp_path, "a", 60)
    frame = in_context(record, record)
    assert len(frame) == len(record.estimates)
    row = frame[(frame["task"] == "foxes") & frame["group"].isna()].iloc[0]
    assert (row["value"], row["chance"], row["than_chance"], row["optimum"]) == (0.6, 0.25, "better", 1.0)
    assert (row["baseline"], row["than_baseline"]) == (0.6, "can't tell")


def test_what_chance_is_changes_no_record():
    """It is for readers: a record of before and one of after are of the same metric."""
    assert "chance" not in (RecordedMetric.of(STANDARD_ACC).parameters or {})
    assert (STANDARD_ACC.chance, MCC.chance, ACC.chance) == ("choices", 0.0, None)
