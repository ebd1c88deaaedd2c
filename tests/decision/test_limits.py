"""The gate asks the metric that gave a number: one value, exact bounds, counted by independent samples."""

from dataclasses import replace
from random import Random

import pytest

from harness.core.metrics import Undefined
from harness.core.scores import Score
from harness.decision.drafting import draft
from harness.decision.gate import gate
from harness.decision.keys import Key
from harness.decision.limits import limits, unit_count
from harness.decision.policy import Policy
from harness.decision.scored import Scored
from suites.fairness.groups.disparities import disparity_metrics
from suites.robustness.metrics import FLIP_RATE, RELATIVE_DROP
from tests.decision.runs import sealed, task_spec, without_metrics

VARIANTS = 10


def questions(right, fallen=0, n=60):
    """Questions of which so many are right, each with ten variants; of the first `fallen` all variants turn wrong."""
    return [
        Score(
            sample_id=str(question),
            metric=metric.name,
            value=float(question < fallen) if metric is FLIP_RATE else float(fallen <= question < right),
            weight=1.0 if metric is FLIP_RATE else float(question < right),
            cluster=f"sample {question}",
            groups={"severity": "1"},
        )
        for metric in (RELATIVE_DROP, FLIP_RATE)
        for question in range(n)
        for _ in range(VARIANTS)
    ]


@pytest.fixture
def robust(tmp_path):
    def make(right, fallen=0, name="a", n=60, task="robustness:mmlu"):
        specs = (task_spec(task=task),)
        metrics = (RELATIVE_DROP, FLIP_RATE)
        return sealed(tmp_path / name, name, questions(right, fallen, n), metrics=metrics, task=task, tasks=specs)

    return make


def policy(*rules, **settings):
    return Policy.model_validate({"format": 1, "name": "p", "rules": list(rules), **settings})


def ceiling(metric, bound, task="robustness:mmlu"):
    return {"kind": "ceiling", "suite": "quiz", "task": task, "metric": metric, "bound": bound}


def test_a_model_that_noise_never_touches_is_not_certain_to_stay_so(robust):
    # All 40 right answers of 60 stand: 1 - 0.05^(1/40) = 7.2 % may still fall. Ten variants each add nothing.
    record = robust(40)
    verdicts = gate(record, policy(ceiling("relative_drop", 0.001), ceiling("flip_rate", 0.001))).rules
    assert [rule.verdict for rule in verdicts] == ["INCONCLUSIVE", "INCONCLUSIVE"]
    drop = limits(Scored(record), Key("quiz", "robustness:mmlu", "relative_drop"), 0.95)
    assert drop.value == 0
    assert drop.high == pytest.approx(1 - 0.05 ** (1 / 40), abs=0.01)
    assert gate(record, policy(ceiling("relative_drop", 0.1), ceiling("flip_rate", 0.1))).verdict == "PASS"


def test_what_a_wrapped_task_measures_is_decided_by_its_own_metric(robust):
    # 12 of 40 fall, 30 %: the exact bounds of 12 of 40 at 95 % one-sided are 18.3 and 44.0 %.
    record = robust(40, fallen=12)
    assert gate(record, policy(ceiling("relative_drop", 0.5))).verdict == "PASS"
    assert gate(record, policy(ceiling("relative_drop", 0.1))).verdict == "FAIL"
    assert gate(record, policy(ceiling("relative_drop", 0.35))).verdict == "INCONCLUSIVE"


def test_variants_of_a_question_are_one_sample(robust):
    record = robust(20, n=20)
    key = Key("quiz", "robustness:mmlu", "flip_rate")
    assert Scored(record).estimates[key].n == 20 * VARIANTS
    assert unit_count(Scored(record), key) == 20
    (rule,) = gate(record, policy(ceiling("flip_rate", 0.9))).rules
    assert rule.verdict == "INCONCLUSIVE"
    assert "20 independent samples are too few, a PASS takes 30" in rule.reason
    assert gate(record, policy(ceiling("flip_rate", 0.9), smallest_n=20)).verdict == "PASS"
    assert "smallest_n: 20 " in draft(record)


def test_the_same_model_again_is_no_worse_but_not_surely_so(robust):
    rule = {
        "kind": "non_inferior", "suite": "quiz", "task": "robustness:mmlu", "metric": "relative_drop", "margin": 0.15
    }  # fmt: skip
    first, second = robust(40, fallen=4, name="a"), robust(40, fallen=4, name="b")
    assert gate(second, policy(rule), first).verdict == "PASS"
    assert gate(second, policy({**rule, "margin": 0.02}), first).verdict == "INCONCLUSIVE"


def test_metrics_of_a_declared_task_are_built_from_the_record(tmp_path):
    declaration = {
        "name": "loans", "type": "group_fairness", "data": "gone.csv", "prompt": "{text}", "gold": "label",
        "labels": ["no", "yes"], "positive": "yes", "attributes": ["sex"], "smallest_group": 10,
    }  # fmt: skip
    metric = next(
        one
        for one in disparity_metrics("sex", positive="yes", smallest_group=10)
        if one.name == "demographic_parity_difference_sex"
    )
    draw = Random(1)
    scores = [
        Score(
            sample_id=str(index),
            metric=metric.name,
            value=0.5,
            gold="yes",
            predicted="yes" if draw.random() < (0.8 if index % 2 else 0.2) else "no",
            groups={"sex": "f" if index % 2 else "m"},
        )
        for index in range(200)
    ]
    key = Key("quiz", "loans", metric.name)
    known = sealed(
        tmp_path / "known", "a", scores, metrics=(metric,), task="loans",
        tasks=(task_spec(task="loans", definition={"declaration": declaration}),),
    )  # fmt: skip
    assert limits(Scored(known), key, 0.95) == metric.bounds(scores, Random("0"), 0.95)
    unknown = sealed(
        tmp_path / "unknown", "a", scores, metrics=(metric,), task="loans", tasks=(task_spec(task="loans"),)
    )
    assert limits(Scored(unknown), key, 0.95) == metric.bounds(scores, Random("0"), 0.95)
    with pytest.raises(Undefined, match="is not a mean, and the task that defines it is not installed"):
        limits(Scored(without_metrics(unknown)), key, 0.95)


@pytest.mark.parametrize("task", ["robustness:lm-eval:hellaswag", "robustness:mine", "elsewhere"])
def test_what_no_task_here_defines_is_decided_by_the_recorded_metric(robust, task):
    """30 of 40 right answers fall in the second run, 4 in the first: a drop of 75 % against one of 10 %."""
    first, second = robust(40, fallen=4, name="a", task=task), robust(40, fallen=30, name="b", task=task)
    rule = {"kind": "non_inferior", "suite": "quiz", "task": task, "metric": "relative_drop", "margin": 0.2}
    assert gate(second, policy(rule), first).verdict == "FAIL"
    assert gate(first, policy(rule), second).verdict == "PASS"
    assert gate(second, policy(ceiling("relative_drop", 0.5, task=task))).verdict == "FAIL"


def test_metrics_that_two_runs_define_otherwise_are_not_compared(tmp_path, robust):
    kept = robust(40, name="a", task="elsewhere")
    other = sealed(
        tmp_path / "b", "b", questions(40, 0, 60), metrics=(replace(RELATIVE_DROP, lowest=-9.0), FLIP_RATE),
        task="elsewhere", tasks=(task_spec(task="elsewhere"),),
    )  # fmt: skip
    rule = {"kind": "non_inferior", "suite": "quiz", "task": "elsewhere", "metric": "relative_drop", "margin": 0.2}
    (found,) = gate(other, policy(rule), kept).rules
    assert found.verdict == "INCONCLUSIVE"
    assert "the two runs define relative_drop differently: lowest None, there -9" in (found.reason or "")
