"""Baselines that are asked what their record lacks, replays of whole records, and what open rules would take."""

from dataclasses import replace

import pytest

from benchmarks.replay import Pair, replayed
from harness.cli.app import app
from harness.core.errors import InputError
from harness.core.process.progress import Quiet
from harness.decision.gate import gate
from harness.decision.verdicts import read_verdicts, write_verdict
from harness.report.build import build_document
from harness.report.context import ReportContext
from harness.report.markdown import to_markdown
from harness.report.words import Words
from harness.run.pipeline import evaluate
from harness.run.sequential.budget import Budget
from harness.run.sequential.deciding import decide
from tests.decision.sequential.quiz import HIGH, KEEPS_UP, NEAR, ROWS, SUITE, decided, options, policy
from tests.tiny import build_tiny_checkpoint


@pytest.fixture(scope="module")
def other(place):
    """Another checkpoint."""
    return str(build_tiny_checkpoint(place / "other", seed=1))


@pytest.fixture(scope="module")
def short(place, other):
    """The other checkpoint, asked a few of the questions."""
    return evaluate(other, suite=str(place / "quiz.yaml"), limit=40, options=options(place))


def test_a_baseline_is_asked_what_its_record_lacks(place, other, short, tmp_path):
    rules = policy(tmp_path, KEEPS_UP)
    told = decided(place, rules, tmp_path / "a", baseline=short, baseline_model=other)
    assert told.asked["quiz", "letters"] > 40
    assert told.available["quiz", "letters"] == ROWS
    # Another that had no record, or a whole one, is held against the same answers.
    alone = decided(place, rules, tmp_path / "b", baseline_model=other)
    whole = evaluate(other, suite=str(place / "quiz.yaml"), limit="all", options=options(place))
    plain = decided(place, rules, tmp_path / "c", baseline=whole)
    for found in (told, alone, plain):
        assert found.asked == told.asked
        (rule,) = found.verdict.rules
        assert rule.verdict == told.verdict.rules[0].verdict
        assert rule.value == pytest.approx(told.verdict.rules[0].value, abs=1e-9)
        assert rule.low == pytest.approx(told.verdict.rules[0].low, abs=1e-6)


def test_what_the_baseline_was_asked_is_a_sealed_run_that_a_gate_takes(place, other, short, tmp_path):
    rules = policy(tmp_path, KEEPS_UP)
    found = decided(place, rules, tmp_path, baseline=short, baseline_model=other)
    folder = found.record.folder.parent / str(found.verdict.baseline_run_id)
    grown = type(short)(folder)
    assert grown.verify() == []
    assert set(grown.scores["sample_id"]) == set(found.record.scores["sample_id"])
    assert grown.environment["answers_of"] == short.run_id
    before = short.scores.set_index(["sample_id", "metric"])["value"]
    after = grown.scores.set_index(["sample_id", "metric"])["value"]
    shared = before.index.intersection(after.index)
    assert len(shared)
    assert (before[shared] == after[shared]).all()
    assert gate(found.record, rules, grown).rules == found.verdict.rules


def test_an_interrupted_decision_with_a_baseline_goes_on(place, other, short, tmp_path):
    class Stops(Quiet):
        left = 90

        def advance(self, steps: int = 1) -> None:
            self.left -= steps
            if self.left < 0:
                raise KeyboardInterrupt

    rules = policy(tmp_path, KEEPS_UP)
    with pytest.raises(KeyboardInterrupt):
        decided(place, rules, tmp_path / "often", baseline=short, baseline_model=other, progress=Stops())
    resumed = decided(place, rules, tmp_path / "often", baseline=short, baseline_model=other)
    once = decided(place, rules, tmp_path / "once", baseline=short, baseline_model=other)
    assert resumed.verdict.rules == once.verdict.rules
    assert resumed.verdict.baseline_run_id == once.verdict.baseline_run_id


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"seed": 1}, "asked otherwise"),
        ({}, "is of another fingerprint"),
    ],
)
def test_a_record_of_another_checkpoint_or_manner_is_refused(place, other, short, tmp_path, given, said):
    rules, named = policy(tmp_path, KEEPS_UP), other if given else str(place / "model")
    with pytest.raises(InputError, match=said):
        decide(
            str(place / "model"),
            rules,
            baseline=short,
            baseline_model=named,
            suite=str(place / "quiz.yaml"),
            options=replace(options(place, str(tmp_path)), **given),
        )
    assert not list(tmp_path.glob("*/journal.jsonl"))


METRIC = """
import datasets
import evaluate


class Points(evaluate.Metric):
    def _info(self):
        kind = datasets.Value("string")
        features = datasets.Features({"predictions": kind, "references": kind})
        return evaluate.MetricInfo(description="-", citation="-", inputs_description="-", features=features)

    def _compute(self, predictions, references):
        return {"points": 1.0}
"""


def other_rules(folder):
    return policy(folder, KEEPS_UP, f"{KEEPS_UP}, severity: warn, required: false".replace("0.1", "0.05"))


def refused(place, sealed, suite, asking) -> str:
    with pytest.raises(InputError, match="can't be compared; what differs is") as caught:
        decide(str(place / "model"), other_rules(suite.parent), baseline=sealed, suite=str(suite), options=asking)
    assert not asking.output.exists()
    return str(caught.value)


@pytest.mark.parametrize(
    ("file", "before", "after", "said"),
    [
        # A row that isn't asked about.
        ("rows.jsonl", "Is 299 a b?", "Is 299 a c?", "data"),
        ("quiz.yaml", "prompt: '{question}'", "prompt: 'Well: {question}'", "prompts, definition"),
    ],
)
def test_a_record_of_other_data_or_settings_is_refused_before_anything_is_asked(
    place, other, tmp_path, file, before, after, said
):
    suite = tmp_path / "quiz.yaml"
    (tmp_path / "rows.jsonl").write_text((place / "rows.jsonl").read_text())
    suite.write_text(SUITE.replace('"{question}"', "'{question}'"))
    sealed = evaluate(other, suite=str(suite), limit=40, options=options(tmp_path))
    text = (tmp_path / file).read_text()
    assert before in text
    (tmp_path / file).write_text(text.replace(before, after))
    asking = replace(options(tmp_path, "asked"), limit=40)
    # Each rule is told, also one that needn't be met: a gate would find it in error.
    told = refused(place, sealed, suite, asking)
    assert told.count(f"quiz/letters: {said} (the rule") == 2
    # A rule without a baseline is no matter of it.
    alone = decide(str(place / "model"), policy(tmp_path, HIGH), baseline=sealed, suite=str(suite), options=asking)
    assert [rule.verdict for rule in alone.verdict.rules] == ["FAIL"]


def test_a_record_of_other_code_is_refused_before_anything_is_asked_unless_its_checkpoint_is_named(
    place, other, tmp_path
):
    suite, points = tmp_path / "quiz.yaml", tmp_path / "points.py"
    points.write_text(METRIC)
    text = SUITE.replace("rows.jsonl", str(place / "rows.jsonl"))
    suite.write_text(f"{text}    metrics: [acc, 'evaluate:points.py']\n")
    chosen = replace(options(tmp_path), trust_metric_code=True)
    sealed = evaluate(other, suite=str(suite), limit=40, options=chosen)
    points.write_text(METRIC.replace("1.0", "2.0"))
    asking = replace(chosen, output=tmp_path / "asked", limit=40)
    told = refused(place, sealed, suite, asking)
    assert told.count("quiz/letters: code of the task (the rule") == 2
    assert "name its checkpoint (other) with --baseline-model" in told
    found = decide(
        *(str(place / "model"), other_rules(tmp_path)),
        baseline=sealed,
        baseline_model=other,
        suite=str(suite),
        options=asking,
    )
    assert "ERROR" not in [rule.verdict for rule in found.verdict.rules]


def test_a_replay_of_whole_records_says_what_they_say_with_fewer_samples(place, other, baseline, tmp_path):
    whole = evaluate(other, suite=str(place / "quiz.yaml"), limit="all", options=options(place))
    rules = policy(tmp_path, KEEPS_UP, HIGH)
    pair = Pair(title="another seed", model=other, run=whole, baseline=baseline)
    replay = replayed(pair, rules, str(place / "quiz.yaml"), tmp_path)
    found = replay.decided
    assert replay.contradictions == []
    there, asked = replay.counts
    assert 0 < asked <= there == ROWS
    assert [rule.verdict for rule in found.verdict.rules][1] == "FAIL"
    whole_scores = whole.scores.set_index(["sample_id", "metric"])["value"]
    scores = found.record.scores.set_index(["sample_id", "metric"])["value"]
    assert (scores == whole_scores[scores.index]).all()
    assert found.record.environment["answers_of"] == whole.run_id
    # Its policy didn't come before those answers, and no report says so.
    write_verdict(found.record.folder, found.verdict)
    context = ReportContext(
        record=found.record, words=Words("en"), verdicts=read_verdicts(found.record.folder), baseline=baseline
    )
    assert "before the first answer" not in to_markdown(build_document(context))


def test_an_open_rule_says_what_it_would_take(place, tmp_path):
    rules = policy(tmp_path, NEAR)
    small = decided(place, rules, tmp_path, budget=Budget.parse("20 requests"))
    (left,) = small.remaining
    assert left.samples is not None
    assert left.samples > 0
    assert left.available == ROWS - left.asked
    assert left.seconds is not None
    assert left.seconds > 0
    assert left.joules is None  # nothing was measured
    assert f"{left.samples:,} more samples would settle it (" in left.sentence
    assert decided(place, policy(tmp_path, HIGH), tmp_path).remaining == []


def test_what_is_exhausted_says_so_and_what_so_many_samples_tell(place, tmp_path):
    limited = replace(options(place, str(tmp_path)), limit=64)
    found = decide(str(place / "model"), policy(tmp_path, NEAR), suite=str(place / "quiz.yaml"), options=limited)
    (left,) = found.remaining
    assert (found.ended_by, left.available) == ("exhausted", 0)
    assert "all 64 samples were asked; so many tell a number from its limit at a distance of about" in left.sentence
    assert left.distance is not None
    assert abs(found.verdict.rules[0].value - 0.56) < left.distance


def test_the_command_tells_the_verdict_as_the_gate_does_and_what_is_left(place, tmp_path, capsys, monkeypatch):
    policy(tmp_path, NEAR)
    monkeypatch.chdir(tmp_path)
    arguments = ["decide", "--model", str(place / "model"), "--policy", "policy.yaml", "--budget", "20 requests"]
    arguments += ["--suite", str(place / "quiz.yaml"), "--meter", "none", "--store", "none"]
    assert app(arguments, standalone_mode=False) == 3
    told = capsys.readouterr().out
    assert told.startswith("INCONCLUSIVE (0 of 1 rule decided) by the policy quiz")
    assert "  Can't tell: the likely range" in told
    assert "What the open rules would take:" in told
    assert "more samples would settle it" in told
    assert "the budget is spent (looked once)" in told
