"""What a verdict says: sentences, commands, how much was decided, and where a code scanner finds it."""

import re

from scipy.stats import binomtest

from harness.core.text.reasons import told_parts
from harness.decision.gate import gate
from harness.decision.policy import read_policy
from harness.decision.reports import sarif
from harness.decision.wording import headline, verdict_lines
from tests.decision.runs import flipped, scores_of, sealed, task_spec

FLOOR = {"kind": "floor", "suite": "quiz", "bound": 0.6}
CLOSE = {"kind": "non_inferior", "suite": "quiz", "margin": 0.05}


def test_a_rule_says_in_a_sentence_what_would_settle_it(policy, run):
    asked = (task_spec(limit=200),)
    (rule,) = gate(run(122, tasks=asked), policy(FLOOR)).rules
    sentence, command, method = told_parts(rule.reason)
    exact = binomtest(122, 200).proportion_ci(0.9, method="exact")
    assert sentence == f"Can't tell: the likely range {exact.low:.4f} to {exact.high:.4f} crosses the limit 0.6000"
    told, limit = re.fullmatch(
        r"About ([\d,]+) questions would settle it: `harness eval .*--limit (\d+)`", command
    ).groups()
    count = int(limit)
    assert told == f"{count:,}"
    assert rule.n_needed <= count < 1.1 * rule.n_needed
    assert method == "method: exact"
    # So many questions, of which as large a share is right, decide it, with room for chance.
    assert binomtest(round(count * 0.61), count).proportion_ci(0.9, method="exact").low > 0.6


def test_a_sure_loss_is_told_however_many_samples_a_pass_takes(tmp_path, policy, run):
    assert gate(run(2, n=20), policy(FLOOR)).verdict == "FAIL"
    assert gate(run(20, n=20, name="b"), policy(FLOOR)).verdict == "INCONCLUSIVE"
    assert gate(run(0, n=5, name="c"), policy(FLOOR)).verdict == "INCONCLUSIVE"  # hardly a sample


def test_a_policy_may_ask_how_much_is_decided(policy, run):
    of_task = {"kind": "floor", "suite": "quiz", "task": "foxes", "metric": "acc", "bound": 0.3}
    open_too = policy(FLOOR, of_task, inconclusive="warn", smallest_decided=0.6)
    found = gate(run(122), open_too)
    assert found.verdict == "INCONCLUSIVE"
    assert headline(found) == "INCONCLUSIVE (1 of 2 rules decided, and the policy wants 60%)"
    assert headline(gate(run(150, name="b"), open_too)) == "PASS (2 of 2 rules decided)"


def test_a_verdict_takes_two_lines_a_rule_at_eighty_columns(tmp_path, policy):
    before, after = flipped(300, 5, 20)
    baseline, record = (
        sealed(tmp_path / "runs", name, scores_of(of), tasks=(task_spec(limit=300),))
        for name, of in (("a", before), ("b", after))
    )
    target = {"kind": "target", "suite": "quiz", "task": "foxes", "metric": "acc", "target": 0.5, "margin": 0.1}
    lines = verdict_lines(gate(record, policy(FLOOR, CLOSE, target), baseline))
    assert max(map(len, lines)) <= 80
    start = lines.index("") + 1
    rules = lines[start : lines.index("", start)]
    assert len(rules) == 6
    assert [line.split()[0] for line in rules[::2]] == ["FAIL", "INCONCLUSIVE", "PASS"]


def test_sarif_holds_what_failed_where_its_reader_can_change_it(policy, run, monkeypatch):
    """A shipped policy is no file of theirs, but the workflow is."""
    for name in ("GITLAB_CI", "GITHUB_WORKFLOW_REF"):
        monkeypatch.delenv(name, raising=False)
    of_task = {"kind": "floor", "suite": "quiz", "task": "foxes", "metric": "acc", "bound": 0.2}
    failed = gate(run(90), policy(FLOOR, of_task))
    assert [rule.verdict for rule in failed.rules] == ["FAIL", "PASS"]

    def result(**environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        (only,) = sarif(read_policy("default"), failed, "1.0")["runs"][0]["results"]
        return only

    first = result()
    assert "locations" not in first
    told = result(GITHUB_WORKFLOW_REF="owner/name/.github/workflows/gate.yml@refs/pull/1/merge")
    assert told["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == ".github/workflows/gate.yml"
    assert told["partialFingerprints"] == first["partialFingerprints"] != {}
    monkeypatch.delenv("GITHUB_WORKFLOW_REF")
    told = result(GITLAB_CI="true")
    assert told["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == ".gitlab-ci.yml"
