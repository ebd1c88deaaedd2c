"""Policies on sealed runs, through the public functions."""

import re

import numpy as np
import pytest

from harness.core.errors import InputError, RecordError, UnknownName
from harness.core.metrics import Mean
from harness.core.scores import Score
from harness.decision.drafting import draft
from harness.decision.gate import gate
from harness.decision.policy import read_policy, templates
from harness.decision.reports import sarif
from harness.metrics.calibration_distances import DebiasedECE
from harness.record import RunRecord
from suites.calibration.metrics import BRIER
from suites.calibration.suite import Calibration
from tests.decision.runs import flipped, measured, reading, scores_of, sealed, task_spec

FLOOR = {"kind": "floor", "suite": "quiz", "bound": 0.6}
CLOSE = {"kind": "non_inferior", "suite": "quiz", "margin": 0.05}


@pytest.mark.parametrize(("right", "verdict"), [(150, "PASS"), (122, "INCONCLUSIVE"), (90, "FAIL")])
def test_a_floor_holds_fails_or_stays_open(policy, run, right, verdict):
    found = gate(run(right), policy(FLOOR))
    (rule,) = found.rules
    assert found.verdict == rule.verdict == verdict
    assert rule.value == right / 200
    assert rule.bound == 0.6
    assert (rule.n_needed is None) == (verdict != "INCONCLUSIVE")
    assert rule.n_needed is None or rule.n_needed > 200


@pytest.mark.parametrize(("right", "verdict"), [(100, "PASS"), (85, "INCONCLUSIVE"), (20, "FAIL")])
def test_a_target_is_held_within_its_margin(policy, run, right, verdict):
    rule = {"kind": "target", "suite": "quiz", "task": "foxes", "metric": "acc", "target": 0.5, "margin": 0.1}
    assert gate(run(right), policy(rule)).verdict == verdict


def test_a_ceiling_is_for_what_should_be_low(tmp_path, policy):
    costly = Mean(name="acc", unit="errors", direction="lower", source="-")
    record = sealed(tmp_path / "runs", "a", scores_of([1.0, 3.0] * 50), metrics=(costly,))
    rule = {"kind": "ceiling", "suite": "quiz", "task": "foxes", "metric": "acc", "bound": 2.5}
    assert gate(record, policy(rule)).verdict == "PASS"
    with pytest.raises(InputError, match="contradicts a floor"):
        gate(record, policy({**rule, "kind": "floor"}))


@pytest.mark.parametrize(
    ("gained", "lost", "verdict"), [(10, 10, "PASS"), (5, 20, "INCONCLUSIVE"), (0, 60, "FAIL"), (0, 0, "PASS")]
)
def test_a_margin_to_a_baseline(tmp_path, policy, gained, lost, verdict):
    before, after = flipped(300, gained, lost)
    baseline, record = (sealed(tmp_path / "runs", name, scores_of(of)) for name, of in (("a", before), ("b", after)))
    found = gate(record, policy(CLOSE), baseline)
    assert found.verdict == verdict
    assert found.baseline_run_id == baseline.run_id
    assert found.rules[0].value == pytest.approx((gained - lost) / 300)
    percent = {"kind": "non_inferior", "suite": "quiz", "margin_percent": 10}  # of a baseline of a half
    assert gate(record, policy(percent), baseline).rules[0].margin == pytest.approx(0.05)


def test_a_group_that_loses_more_is_named(tmp_path, policy):
    before = [1.0, 0.0] * 300
    after = [0.0 if index % 4 == 2 else value for index, value in enumerate(before)]  # of men alone
    baseline, record = (sealed(tmp_path / "runs", name, scores_of(of)) for name, of in (("a", before), ("b", after)))
    rule = {
        "kind": "no_worse_group", "suite": "quiz", "task": "foxes", "metric": "acc", "attribute": "sex", "margin": 0.05
    }  # fmt: skip
    (said,) = gate(record, policy(rule), baseline).rules
    assert (said.verdict, said.group) == ("FAIL", "sex=male")
    assert gate(baseline, policy(rule), baseline).verdict == "PASS"
    assert gate(record, policy(rule, smallest_n=400), baseline).verdict == "FAIL"  # what is sure is told
    assert gate(baseline, policy(rule, smallest_n=400), baseline).verdict == "INCONCLUSIVE"


def test_what_warns_or_is_let_be_does_not_block(policy, run):
    record = run(122)
    assert gate(record, policy(FLOOR, inconclusive="warn")).verdict == "PASS"
    assert gate(record, policy({**FLOOR, "inconclusive": "block"}, inconclusive="warn")).verdict == "INCONCLUSIVE"
    failing = {**FLOOR, "bound": 0.9, "severity": "warn"}
    found = gate(record, policy(failing))
    assert (found.verdict, found.rules[0].verdict) == ("PASS", "FAIL")


@pytest.mark.parametrize(
    ("right", "said", "verdict"),
    [(190, ["PASS", "PASS"], "PASS"), (150, ["PASS", "FAIL"], "PASS"), (90, ["FAIL", "FAIL"], "FAIL")],
)
def test_one_number_may_have_a_bound_that_blocks_and_a_stricter_one_that_warns(policy, run, right, said, verdict):
    both = policy(FLOOR, {**FLOOR, "bound": 0.85, "severity": "warn"})
    found = gate(run(right), both)
    assert found.verdict == verdict
    assert [rule.verdict for rule in found.rules] == said
    assert [rule.bound for rule in found.rules] == [0.6, 0.85]
    assert len({rule.rule for rule in found.rules}) == 2
    (log,) = sarif(both, found, "1")["runs"]
    lines = [one["locations"][0]["physicalLocation"]["region"]["startLine"] for one in log["results"]]
    assert lines == [line for line, verdict in zip([4, 5], said, strict=True) if verdict == "FAIL"]


def test_too_few_samples_decide_nothing(policy, run):
    (rule,) = gate(run(20, n=20), policy({**FLOOR, "bound": 0.1})).rules
    assert (rule.verdict, rule.n_needed) == ("INCONCLUSIVE", 30)
    assert gate(run(20, n=20), policy({**FLOOR, "bound": 0.1, "smallest_n": 20})).verdict == "PASS"


def test_unusable_samples_count_as_the_worst_and_many_are_an_error(tmp_path, policy):
    values = [1.0] * 170 + [0.0] * 28
    two = sealed(tmp_path / "two", "a", scores_of([None, None, *values]))
    assert gate(two, policy(FLOOR)).rules[0].verdict == "PASS"
    one_in_hundred = policy(FLOOR, largest_invalid_share=0.02)
    assert gate(two, one_in_hundred).rules[0].value == pytest.approx(170 / 200)
    many = sealed(tmp_path / "many", "a", scores_of([None] * 5 + values))
    found = gate(many, policy(FLOOR))
    assert found.verdict == "ERROR"
    assert "2.5% of the samples can't be used, over 1.0%" in found.rules[0].reason
    # Of a pair, the baseline's are the best: both losses stand against the candidate.
    pair = gate(two, policy({**CLOSE, "margin": 0.5}), sealed(tmp_path / "two", "b", scores_of([1.0, 1.0, *values])))
    assert pair.rules[0].value == pytest.approx(-2 / 200)


def test_energy_is_compared_as_it_is_read(tmp_path, policy):
    scores = scores_of([1.0, 0.0] * 50)
    first, second = (
        sealed(tmp_path / "runs", name, scores, **measured(joules)) for name, joules in (("a", 100.0), ("b", 115.0))
    )
    at = {"suite": "energy", "task": "run", "metric": "energy_joules"}
    assert gate(second, policy({"kind": "ceiling", "bound": 120, **at})).verdict == "PASS"
    assert gate(second, policy({"kind": "ceiling", "bound": 110, **at})).verdict == "FAIL"
    within = {"kind": "non_inferior", "margin_percent": 20, **at}
    assert gate(second, policy(within), first).verdict == "PASS"
    assert gate(second, policy({**within, "margin_percent": 10}), first).verdict == "FAIL"


@pytest.mark.parametrize(
    "other", [{"tasks": (task_spec(version=2),)}, {"apply_chat_template": True}, {"tasks": (task_spec(num_fewshot=3),)}]
)
def test_a_baseline_of_another_version_template_or_prompt_is_an_error(policy, run, other):
    found = gate(run(150), policy(FLOOR, CLOSE), run(150, name="b", **other))
    assert [rule.verdict for rule in found.rules] == ["PASS", "ERROR"]
    assert found.verdict == "ERROR"
    assert "what differs" in found.rules[1].reason


def test_a_task_that_differs_from_the_baseline_bears_on_its_own_rules_alone(policy, tmp_path):
    scores = scores_of([1.0, 0.0] * 100)
    now, before = (
        sealed(
            tmp_path / "runs",
            name,
            scores,
            measurements=[reading(100.0)],
            tasks=(task_spec(), task_spec(task="hounds", version=version)),
        )
        for version, name in ((1, "a"), (2, "b"))
    )
    foxes = {**CLOSE, "task": "foxes", "metric": "acc", "margin": 0.2}
    energy = {"suite": "energy", "task": "run", "metric": "energy_joules", "kind": "non_inferior", "margin": 100}
    found = gate(now, policy(foxes, {**CLOSE, "margin": 0.2}, energy), before)
    assert [rule.verdict for rule in found.rules] == ["PASS", "PASS", "ERROR"]
    assert "quiz/hounds: version of the task" in found.rules[2].reason


def test_a_policy_may_pin_what_it_was_written_for(policy, run):
    assert gate(run(150), policy(FLOOR, tasks={"quiz/foxes": "eeeeeeee"})).verdict == "PASS"
    assert gate(run(150), policy(FLOOR, tasks={"quiz/foxes": "abcdabcd"})).verdict == "ERROR"


@pytest.mark.parametrize("pin", ["", "eeeeeee", "EEEEEEEE", "e" * 65, "eeeeeeee\n", "........"])
def test_what_pins_a_task_is_eight_digits_of_a_digest_at_least(policy, pin):
    with pytest.raises(InputError, match=r"tasks\.quiz/foxes"):
        policy(FLOOR, tasks={"quiz/foxes": pin})


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({**FLOOR, "suite": "quizz"}, "did you mean quiz?"),
        ({**FLOOR, "task": "fox", "metric": "acc"}, "did you mean foxes?"),
        ({**FLOOR, "task": "foxes", "metric": "accuracy"}, "no such metric in this run; did you mean acc"),
        ({**FLOOR, "group": "sex=femal"}, "sex=female"),
        (CLOSE, "has a margin to a baseline, and there is none"),
        ({**FLOOR, "suite": "other", "required": False}, "no rule applies"),
    ],
)
def test_a_policy_that_does_not_fit_the_run_is_refused(policy, run, rule, words):
    if "group" in rule:
        rule = {**rule, "task": "foxes", "metric": "acc"}
    with pytest.raises(InputError) as refused:
        gate(run(150), policy(rule))
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("rules", "settings", "words"),
    [
        ([{**FLOOR, "bonud": 1}], {}, "line 4: rules[1].bonud: no such key; did you mean bound"),
        ([FLOOR], {"inconclusiv": "warn"}, "inconclusiv: no such key; did you mean inconclusive"),
        ([{**FLOOR, "kind": "flor"}], {}, "no such kind of rule; did you mean floor"),
        ([{**FLOOR, "margin": 0.1}], {}, "takes no margin, but bound"),
        ([{"kind": "floor", "suite": "quiz"}], {}, "needs bound"),
        ([{**CLOSE, "margin": 0}], {}, "must be greater than 0"),
        ([{**CLOSE, "margin_percent": 1}], {}, "not both"),
        ([{**FLOOR, "task": "foxes"}], {}, "needs a metric beside its task"),
        ([{**FLOOR, "group": "female"}], {}, "attribute=value"),
        ([FLOOR, FLOOR], {}, "line 5: a second rule"),
        ([FLOOR, {**FLOOR, "bound": 0.5, "name": "b"}], {}, "a second rule of the kind floor on quiz/overall"),
        ([FLOOR, {**FLOOR, "severity": "warn"}], {}, "not stricter than the blocking rule"),
        (
            [{**FLOOR, "bound": 0.1, "severity": "warn"}, FLOOR],
            {},
            "line 5: the warning on quiz/overall is not stricter",
        ),
        (
            [
                {**FLOOR, "kind": "ceiling", "bound": 0.3},
                {**FLOOR, "kind": "ceiling", "severity": "warn", "bound": 0.4},
            ],
            {},
            "not stricter",
        ),
        ([CLOSE, {**CLOSE, "margin": CLOSE["margin"] * 2, "severity": "warn"}], {}, "not stricter"),
        (
            [FLOOR, {**FLOOR, "kind": "ceiling", "bound": FLOOR["bound"] / 2, "severity": "warn"}],
            {},
            "contradictory rules on quiz/overall",
        ),
        ([{**FLOOR, "name": "a"}, {**CLOSE, "name": "a"}], {}, "a second rule with the name 'a'"),
        ([FLOOR, {**FLOOR, "kind": "ceiling", "bound": 0.5}], {}, "contradictory rules on quiz/overall"),
        ([], {}, "rules"),
        ([FLOOR], {"confidence": 95}, "confidence: must be less than 1"),
        ([FLOOR], {"sha256": "a"}, "no such key"),
    ],
)
def test_a_faulty_policy_is_refused_by_line_and_field(policy, rules, settings, words):
    with pytest.raises(InputError) as refused:
        policy(*rules, **settings)
    assert words in str(refused.value)
    assert "policy.yaml" in str(refused.value)


def test_an_unknown_policy_names_the_templates(tmp_path):
    with pytest.raises(UnknownName, match="did you mean strict"):
        read_policy("strickt")
    with pytest.raises(InputError, match="no such file"):
        read_policy(str(tmp_path / "none.yaml"))


@pytest.mark.parametrize("name", ["default", "strict"])
def test_the_templates_are_policies_and_apply_to_a_suite_that_they_name(tmp_path, name):
    assert sorted(templates()) == ["default", "strict"]
    found = read_policy(name)
    assert found.name == name
    assert all(rule.kind == "non_inferior" and not rule.required for rule in found.rules)


class EarlierCalibration(Calibration):
    """As it was when its headline was a calibration error."""

    headline = Calibration.earlier_headlines[0]


def test_a_headline_of_an_earlier_version_is_judged_and_held_against_none_of_today(tmp_path, policy):
    sure = [0.5 + index / 200 for index in range(100)]
    scores = [
        Score(sample_id=str(index), metric=name, value=value, gold="1", predicted=str(index % 2))
        for index, one in enumerate(sure)
        for name, value in (("ece_debiased", one), ("brier", 2 * (one - index % 2) ** 2))
    ]
    task = "calibration_piqa"
    known = {"metrics": (DebiasedECE(), BRIER), "task": task, "tasks": (task_spec(suite="calibration", task=task),)}
    earlier, today = (
        sealed(tmp_path / "runs", name, scores, suite=suite, suites=("calibration",), **known)
        for name, suite in (("a", EarlierCalibration()), ("b", Calibration()))
    )
    rule = policy({"kind": "non_inferior", "suite": "calibration", "margin": 0.5})
    assert [gate(one, rule, one).rules[0].metric for one in (earlier, today)] == ["ece_debiased", "brier"]
    assert [gate(one, rule, one).verdict for one in (earlier, today)] == ["PASS", "PASS"]
    (said,) = gate(today, rule, earlier).rules
    assert said.verdict == "ERROR"
    assert "the baseline's headline is of ece_debiased, this one of brier" in (said.reason or "")


def test_only_sealed_and_unchanged_runs_are_judged(policy, run):
    record = run(150)
    seal = (record.folder / "seal.json").read_bytes()
    (record.folder / "seal.json").unlink()
    with pytest.raises(RecordError, match="not finished"):
        gate(RunRecord(record.folder), policy(FLOOR))
    (record.folder / "seal.json").write_bytes(seal)
    scores = record.folder / "scores.parquet"
    scores.write_bytes(scores.read_bytes()[:-1] + b"x")
    with pytest.raises(RecordError, match=r"scores\.parquet"):
        gate(record, policy(FLOOR))


@pytest.mark.parametrize(("right", "n"), [(150, 200), (12, 12), (0, 40), (40, 40)])
def test_a_run_passes_the_policy_that_was_drafted_from_it(tmp_path, run, right, n):
    record = run(right, n=n)
    (tmp_path / "draft.yaml").write_text(draft(record, absolute=True))
    assert gate(record, read_policy(str(tmp_path / "draft.yaml"))).verdict == "PASS"
    (tmp_path / "draft.yaml").write_text(draft(record))
    drafted = read_policy(str(tmp_path / "draft.yaml"))
    assert [rule.kind for rule in drafted.rules] == ["non_inferior"]
    assert gate(record, drafted, record).verdict == "PASS"


def test_an_equal_model_passes_a_drafted_policy_as_often_as_it_says(tmp_path, run):
    """A tenth of the answers differ at random in 15 pairs of runs, of which at least the said share passes."""
    generator, n = np.random.default_rng(0), 200
    record = run(100, n=n)
    text = draft(record)
    (tmp_path / "draft.yaml").write_text(text)
    said = float(re.search(r"passes with probability ([\d.]+)", text)[1])
    assert 0.8 <= said <= 0.9
    drafted = read_policy(str(tmp_path / "draft.yaml"))
    first = np.array([1.0] * 100 + [0.0] * 100)
    passed = 0
    for draw in range(15):
        changed = generator.random(n) < 0.1
        other = sealed(tmp_path / f"runs{draw}", "b", scores_of(np.where(changed, 1 - first, first).tolist()))
        passed += gate(other, drafted, record).verdict == "PASS"
    assert passed / 15 >= said - 3 * (said * (1 - said) / 15) ** 0.5


@pytest.mark.parametrize("right", [100, 96, 80])
def test_a_run_that_counts_as_equal_passes_the_policy_that_it_was_named_for(tmp_path, run, right):
    """Also one that is worse by more than chance, as a precision may be."""
    record, equal = run(100), run(right, name="b")
    (tmp_path / "draft.yaml").write_text(draft(record, equal=equal))
    assert gate(equal, read_policy(str(tmp_path / "draft.yaml")), record).verdict == "PASS"


def test_a_metric_without_an_interval_is_open(tmp_path, policy):
    record = sealed(
        tmp_path / "runs", "a", [Score(sample_id=str(i), metric="acc", value=1.0, cluster="one") for i in range(40)]
    )
    (rule,) = gate(record, policy({**FLOOR, "bound": 0.1})).rules
    assert rule.verdict == "INCONCLUSIVE"
    with pytest.raises(InputError, match="none of its scores has an interval"):  # no policy without a rule
        draft(record)
