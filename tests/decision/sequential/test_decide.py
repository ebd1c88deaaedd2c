"""Runs that end when a policy is decided, on a tiny checkpoint and questions of the test's own."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from harness.core.errors import InputError, RecordError
from harness.core.process.progress import Quiet
from harness.decision.comparison import compare
from harness.decision.gate import gate
from harness.decision.policy import read_policy
from harness.decision.verdicts import read_verdicts, write_verdict
from harness.record.seal import POLICY, read_seal
from harness.report.build import build_document
from harness.report.context import ReportContext
from harness.report.markdown import to_markdown
from harness.report.words import Words
from harness.run.options import EvalOptions
from harness.run.pipeline import evaluate
from harness.run.rescore import rescore
from harness.run.sequential.budget import Budget
from harness.run.sequential.deciding import decide
from tests.decision.sequential.quiz import HIGH, KEEPS_UP, NEAR, ROWS, decided, options, policy


def test_an_equal_checkpoint_passes_and_a_bad_one_fails_with_a_part_of_the_samples(place, baseline, tmp_path):
    rules = policy(tmp_path, KEEPS_UP, HIGH)
    found = decided(place, rules, tmp_path, baseline=baseline)
    assert [rule.verdict for rule in found.verdict.rules] == ["PASS", "FAIL"]
    assert found.ended_by == "decided"
    assert found.asked["quiz", "letters"] < ROWS / 2
    # What all samples say is the same.
    assert [rule.verdict for rule in gate(baseline, rules, baseline).rules] == ["PASS", "FAIL"]


def test_of_a_baseline_with_a_limit_its_own_samples_are_asked(place, tmp_path):
    limited = evaluate(str(place / "model"), suite=str(place / "quiz.yaml"), limit=200, options=options(place))
    rules = policy(tmp_path, KEEPS_UP)
    found = decided(place, rules, tmp_path, baseline=limited)
    assert found.available == {("quiz", "letters"): 200}
    assert [rule.verdict for rule in found.verdict.rules] == ["PASS"]
    assert set(found.record.scores["sample_id"]) < set(limited.scores["sample_id"])
    # A rule that needs no baseline isn't held up by what that was asked.
    alone = decided(place, policy(tmp_path, NEAR), tmp_path, baseline=limited)
    assert alone.available == {("quiz", "letters"): ROWS}


def test_what_was_asked_is_a_sealed_run_that_names_its_policy(place, baseline, tmp_path):
    rules = policy(tmp_path, HIGH)
    record = decided(place, rules, tmp_path).record
    assert record.state == "sealed"
    assert record.verify() == []
    assert record.spec.policy_sha256 == rules.sha256
    assert POLICY in read_seal(record.folder).files
    assert (record.folder / POLICY).read_bytes() == Path(rules.path).read_bytes()
    (record.folder / POLICY).write_text("format: 1")
    assert any(POLICY in fault for fault in record.verify())


def test_it_is_compared_and_told_of_as_any_run(place, baseline, tmp_path):
    rules = policy(tmp_path, KEEPS_UP)
    found = decided(place, rules, tmp_path, baseline=baseline)
    write_verdict(found.record.folder, found.verdict)
    compared = compare(baseline, found.record)
    acc = next(one for one in compared.differences if one.metric == "acc" and one.task == "letters")
    assert (acc.difference, acc.n) == (0.0, found.asked["quiz", "letters"])
    context = ReportContext(
        record=found.record, words=Words("en"), verdicts=read_verdicts(found.record.folder), baseline=baseline
    )
    assert "before the first answer, and sealed with the run" in to_markdown(build_document(context))
    assert rescore(found.record).ok


def test_a_policy_that_pins_prompts_knows_them_though_few_are_asked(place, tmp_path):
    limited = evaluate(str(place / "model"), suite=str(place / "quiz.yaml"), limit=200, options=options(place))
    path = Path(policy(tmp_path, KEEPS_UP, HIGH).path)
    path.write_text(path.read_text() + f"tasks: {{quiz/letters: '{limited.spec.tasks[0].requests_sha256[:12]}'}}\n")
    pinned = read_policy(str(path))
    with pytest.raises(InputError, match="quiz/letters is not what the policy was written for"):
        # The absolute rule may ask of all 300 questions.
        decided(place, pinned.model_copy(update={"rules": pinned.rules[1:]}), tmp_path / "other")
    assert not (tmp_path / "other").exists()
    found = decided(place, pinned, tmp_path, baseline=limited)
    assert found.asked["quiz", "letters"] < 200
    assert [rule.verdict for rule in found.verdict.rules] == ["PASS", "FAIL"]
    assert gate(found.record, pinned, limited).rules == found.verdict.rules


def test_its_answers_are_those_of_the_whole_run(place, baseline, tmp_path):
    record = decided(place, policy(tmp_path, HIGH), tmp_path).record
    whole = baseline.scores.set_index(["sample_id", "metric"])["value"]
    part = record.scores.set_index(["sample_id", "metric"])["value"]
    assert part.to_numpy() == pytest.approx(whole[part.index].to_numpy(), abs=5e-4)
    assert 0 < len(part) < len(whole)


class _Listening(Quiet):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        self.said.append(text)


def test_a_rule_that_need_not_be_met_is_left_out_where_nothing_decides_it(place, tmp_path):
    listening = _Listening()
    rules = policy(tmp_path, HIGH, "kind: floor, task: numbers, metric: acc, bound: 0.5, required: false")
    found = decided(place, rules, tmp_path, progress=listening)
    assert [rule.verdict for rule in found.verdict.rules] == ["FAIL"]
    assert any("quiz/numbers" in text for text in listening.said)


class _Stops(Quiet):
    """Breaks off after some steps."""

    def __init__(self, after: int) -> None:
        self.left = after

    def advance(self, steps: int = 1) -> None:
        self.left -= steps
        if self.left < 0:
            raise KeyboardInterrupt


def test_a_decision_that_takes_all_that_the_limit_allows_is_a_run_like_any_other(place, tmp_path):
    limited = replace(options(place, str(tmp_path)), limit=64)
    rules = policy(tmp_path, NEAR)
    found, again = (
        decide(str(place / "model"), rules, suite=str(place / "quiz.yaml"), options=limited) for _ in range(2)
    )
    assert found.ended_by == "exhausted"
    assert found.record.verify() == []
    assert gate(found.record, rules).rules == found.verdict.rules
    assert (again.record.folder, again.verdict.rules) == (found.record.folder, found.verdict.rules)
    assert again.record.verify() == []


def test_what_is_left_of_a_folder_is_made_whole_and_what_was_changed_is_named(place, tmp_path):
    rules = policy(tmp_path, NEAR)
    small = Budget.parse("20 requests")
    found = decided(place, rules, tmp_path, budget=small)
    (whole,) = (path.parent for path in tmp_path.glob("*/run.log"))
    (whole / "engine.json").unlink()
    (found.record.folder / "seal.json").unlink()
    (found.record.folder / "scores.parquet").unlink()
    again = decided(place, rules, tmp_path, budget=small)
    assert again.verdict.rules == found.verdict.rules
    assert again.record.verify() == []
    (found.record.folder / "scores.parquet").unlink()
    with pytest.raises(RecordError, match="Move the folder away"):
        decided(place, rules, tmp_path, budget=small)


def test_a_decision_that_is_interrupted_at_five_points_goes_on_to_the_same_verdict_byte_for_byte(place, tmp_path):
    rules = policy(tmp_path, NEAR)
    counted = _Stops(10**6)
    undisturbed = decided(place, rules, tmp_path / "once", progress=counted)
    steps = 10**6 - counted.left
    # At random points, each that many steps after the one before it: what was answered isn't asked again.
    points = sorted(Random(0).sample(range(steps), 5))
    for before, after in pairwise([0, *points]):
        with pytest.raises(KeyboardInterrupt):
            decided(place, rules, tmp_path / "often", progress=_Stops((after - before) // 2))
    resumed = decided(place, rules, tmp_path / "often")
    assert resumed.verdict.rules == undisturbed.verdict.rules
    assert resumed.record.run_id == undisturbed.record.run_id
    for name in ("scores.parquet", "estimates.json", "order.json"):
        assert (resumed.record.folder / name).read_bytes() == (undisturbed.record.folder / name).read_bytes()


def test_a_spent_budget_leaves_rules_open_and_a_larger_one_goes_on(place, tmp_path):
    rules = policy(tmp_path, NEAR)
    small = decided(place, rules, tmp_path, budget=Budget.parse("20 requests"))
    assert small.ended_by == "budget"
    assert small.verdict.verdict == "INCONCLUSIVE"
    assert small.verdict.rules[0].n_needed
    large = decided(place, rules, tmp_path)
    assert large.ended_by in ("decided", "exhausted")
    assert large.asked["quiz", "letters"] > small.asked["quiz", "letters"]
    first, second = (set(one.record.scores["sample_id"]) for one in (small, large))
    assert first < second


def test_a_rule_that_failed_ends_it_where_that_is_enough(place, baseline, tmp_path):
    """The rule that could go on stays open; without the option the same run goes on to decide it."""
    close = KEEPS_UP.replace("0.1", "0.02")
    rules = policy(tmp_path, HIGH, close)
    found = decided(place, rules, tmp_path, baseline=baseline, fail_fast=True)
    assert [rule.verdict for rule in found.verdict.rules] == ["FAIL", "INCONCLUSIVE"]
    assert (found.ended_by, found.verdict.verdict) == ("failed", "FAIL")
    on = decided(place, rules, tmp_path, baseline=baseline)
    assert on.asked["quiz", "letters"] > found.asked["quiz", "letters"]
    warned = policy(tmp_path, f"{HIGH}, severity: warn", close)
    assert decided(place, warned, tmp_path, baseline=baseline, fail_fast=True).ended_by != "failed"


def test_all_samples_of_the_data_decide_whatever_they_say(place, baseline, tmp_path):
    value = float(baseline.estimates.query("metric == 'acc'")["value"].iloc[0])
    rules = policy(tmp_path, f"kind: floor, task: letters, metric: acc, bound: {value - 0.001}")
    found = decided(place, rules, tmp_path)
    assert [rule.verdict for rule in found.verdict.rules] == ["PASS"]
    # The gate knows of such a run, and says the same; of the same answers in a run of a fixed size, which stand for
    # others like them, it can't tell.
    assert gate(found.record, rules).rules == found.verdict.rules
    assert gate(baseline, rules).verdict == "INCONCLUSIVE"
    # However many looks it took, the tokens of all of them are counted.
    assert found.looks > 1
    assert found.record.token_counts[0] == baseline.token_counts[0]


@pytest.mark.parametrize("text", ["0m", "0 requests", "many", "3 weeks", "-1h", ""])
def test_a_budget_that_is_none_is_refused(text):
    with pytest.raises(InputError, match="--budget"):
        Budget.parse(text)


@pytest.mark.parametrize(
    ("text", "amount", "unit"),
    [("30m", 1800, "s"), ("2h", 7200, "s"), ("20,000 requests", 20_000, "requests"), ("50 Wh", 180_000, "J")],
)
def test_a_budget_is_a_time_requests_or_energy(text, amount, unit):
    assert Budget.parse(text) == Budget(amount=amount, unit=unit, text=text)


def test_what_can_not_be_decided_is_said_before_anything_is_asked(place, baseline, tmp_path):
    other = EvalOptions(output=tmp_path, meter="none", store="none", seed=1)
    with pytest.raises(InputError, match="seed"):
        decide(
            str(place / "model"),
            policy(tmp_path, KEEPS_UP),
            baseline=baseline,
            suite=str(place / "quiz.yaml"),
            options=other,
        )
    with pytest.raises(InputError, match="can't be decided"):
        decided(place, policy(tmp_path, "kind: floor, task: numbers, metric: acc, bound: 0.5"), tmp_path)
    with pytest.raises(InputError, match="no energy meter"):
        decided(place, policy(tmp_path, NEAR), tmp_path, budget=Budget.parse("1 Wh"))
    with pytest.raises(InputError, match="--baseline"):
        decided(place, policy(tmp_path, KEEPS_UP), tmp_path)
    optional = "kind: floor, task: numbers, metric: acc, bound: 0.5, required: false"
    with pytest.raises(InputError, match="no rule can be decided"):
        decided(place, policy(tmp_path, optional), tmp_path)
    assert not [path for path in tmp_path.glob("*/journal.jsonl") if path.stat().st_size]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("kind: floor, task: letters, metric: ac, bound: 0.5", "no such metric of letters; did you mean acc"),
        ("kind: floor, task: letters, metric: acc, group: 'sex=female', bound: 0.5", "no such attribute of acc"),
        ("kind: no_worse_group, task: letters, metric: acc, attribute: sex, margin: 0.1", "no such attribute of acc"),
        ("kind: ceiling, task: letters, metric: acc, bound: 0.5", "higher is better"),
        (f"{HIGH}, smallest_n: 301", "there are 300 independent samples for it, and it takes 301"),
    ],
)
def test_a_rule_that_no_sample_can_decide_is_refused_before_anything_is_asked(place, baseline, tmp_path, rule, said):
    with pytest.raises(InputError, match=said):
        decided(place, policy(tmp_path, rule), tmp_path, baseline=baseline)
    assert not list(tmp_path.glob("*/journal.jsonl"))


def test_a_baseline_that_was_asked_otherwise_is_refused_before_anything_is_asked(place, tmp_path):
    exemplars = replace(options(place), num_fewshot=1)
    other = evaluate(str(place / "model"), suite=str(place / "quiz.yaml"), limit=40, options=exemplars)
    with pytest.raises(InputError, match=r"what differs is quiz/letters: exemplars 1 against 0, prompts \(the rule"):
        decided(place, policy(tmp_path, KEEPS_UP), tmp_path, baseline=other)
    assert not list(tmp_path.glob("*/journal.jsonl"))


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        # 20 samples: even if all were right, or no answer changed, the bound would lie below.
        ("kind: floor, task: letters, metric: acc, bound: 0.99", "it can fail, and no answers would pass it"),
        (
            "kind: non_inferior, task: letters, metric: acc, margin: 0.01",
            "a model whose answers are all the same can't pass its margin 0.0100; it would pass 0.",
        ),
        (NEAR, None),
    ],
)
def test_a_rule_that_no_answers_could_pass_is_told_before_the_first(place, baseline, tmp_path, rule, said):
    listening = _Listening()
    limited = replace(options(place, str(tmp_path)), limit=20)
    rules = policy(tmp_path, f"{rule}, smallest_n: 5")
    decide(
        str(place / "model"),
        rules,
        baseline=baseline,
        suite=str(place / "quiz.yaml"),
        options=limited,
        progress=listening,
    )
    told = [text for text in listening.said if "letters" in text]
    assert (said in told[0]) if said else not told


def test_a_rule_that_no_answers_at_all_could_decide_is_refused(place, tmp_path):
    rules = policy(tmp_path, f"{NEAR}, smallest_n: 1")
    with pytest.raises(InputError, match="whatever the 2 samples for it say, its bound stays too wide"):
        decide(
            str(place / "model"),
            rules,
            suite=str(place / "quiz.yaml"),
            options=replace(options(place, str(tmp_path)), limit=2),
        )
    assert not list(tmp_path.glob("*/journal.jsonl"))


def test_tasks_that_ask_on_in_the_light_of_answers_are_refused(place, tmp_path):
    suite = tmp_path / "quiz.yaml"
    text = (place / "quiz.yaml").read_text().replace("rows.jsonl", str(place / "rows.jsonl"))
    suite.write_text(f"{text}  - {{name: 'robustness:letters', limit: 5}}\n")
    rule = "kind: ceiling, task: 'robustness:letters', metric: flip_rate, bound: 0.9"
    with pytest.raises(InputError, match="robustness:letters asks on in the light of the answers"):
        decide(str(place / "model"), policy(tmp_path, rule), suite=str(suite), options=options(place, str(tmp_path)))
    listening = _Listening()
    found = decide(
        str(place / "model"),
        policy(tmp_path, HIGH, f"{rule}, required: false"),
        suite=str(suite),
        options=options(place, str(tmp_path)),
        progress=listening,
    )
    assert [rule.verdict for rule in found.verdict.rules] == ["FAIL"]
    assert any("asks on in the light of the answers" in text for text in listening.said)
