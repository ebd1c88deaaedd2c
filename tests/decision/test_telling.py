"""What a verdict says: sentences, commands, how much was decided, and where a code scanner finds it."""

import re
import shlex
from dataclasses import replace

from scipy.stats import binomtest

from harness.core.text.reasons import told_parts
from harness.decision.gate import gate
from harness.decision.keys import Key
from harness.decision.policy import read_policy
from harness.decision.reports import sarif
from harness.decision.scored import Scored
from harness.decision.telling.sentences import settling_in
from harness.decision.telling.settling import command_of, settled_by
from harness.decision.wording import headline, verdict_lines
from tests.decision.runs import flipped, scores_of, sealed, task_spec

FLOOR = {"kind": "floor", "suite": "quiz", "bound": 0.6}
CLOSE = {"kind": "non_inferior", "suite": "quiz", "margin": 0.05}


def test_a_rule_says_in_a_sentence_what_would_settle_it(policy, run):
    asked = (task_spec(limit=200, sample_count=200),)
    (rule,) = gate(run(122, tasks=asked), policy(FLOOR)).rules
    sentence, command, method = told_parts(rule.reason)
    exact = binomtest(122, 200).proportion_ci(0.9, method="exact")
    assert sentence == f"Can't tell: the likely range {exact.low:.4f} to {exact.high:.4f} crosses the limit 0.6000"
    told, limit = re.fullmatch(
        r"About ([\d,]+) questions would settle it: `harness eval .*--limit (\d+) .*`", command
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
    asked = (task_spec(limit=300, sample_count=300),)
    baseline, record = (
        sealed(tmp_path / "runs", name, scores_of(of), tasks=asked) for name, of in (("a", before), ("b", after))
    )
    of_task = {"suite": "quiz", "task": "foxes", "metric": "acc"}
    target = {"kind": "target", "target": 0.5, "margin": 0.1, **of_task}
    open_still = {**CLOSE, "margin": 0.06}
    long = {**CLOSE, **of_task, "name": "answers_to_all_questions_about_foxes"}
    verdict = gate(record, policy(FLOOR, open_still, long, target), baseline)
    lines = verdict_lines(verdict)
    assert max(map(len, lines)) <= 80
    start = lines.index("") + 1
    rules = lines[start : lines.index("", start)]
    assert len(rules) == 8
    assert [line.split()[0] for line in rules[::2]] == ["FAIL", "INCONCLUSIVE", "INCONCLUSIVE", "PASS"]
    assert "against" in rules[2]
    assert "against" not in rules[4]  # there is no room
    assert "against" in verdict_lines(verdict, width=140)[start + 4]
    # What is to be copied stays one command.
    told = "\n".join(lines).split("open rules:\n")[1].split("\n\n")[0]
    count, command = told.replace("\\\n", "").splitlines()
    assert re.fullmatch(r"  # quiz: about [\d,]+ questions, asked of the baseline too", count)
    assert shlex.split(command, comments=True)[:2] == ["harness", "eval"]


def test_what_settles_a_rule_evaluates_the_checkpoint_as_it_was(policy, run):
    """The tasks of the number, in the precision, with the seed, the template and the exemplars of the run."""
    asked = task_spec(limit=200, sample_count=200)
    piqa = (replace(asked, task="piqa", num_fewshot=5),)
    record = run(122, task="piqa", tasks=piqa, dtype="bfloat16", seed=3, apply_chat_template=True)
    words = shlex.split(command_of(Scored(record), Key("quiz", "piqa", "acc", None), 560))
    assert words[2:8] == ["--model", "model-a", "--task", "piqa", "--limit", "560"]
    assert words[8:] == ["--dtype", "bfloat16", "--seed", "3", "--apply-chat-template", "--num-fewshot", "5"]
    # The tasks of a file have no name of their own, and where there are no more questions no command helps.
    assert "--suite SUITE_FILE " in gate(run(122, name="b", tasks=(asked,)), policy(FLOOR)).rules[0].reason
    (ended,) = gate(run(122, name="c", tasks=(replace(asked, limit=500),)), policy(FLOOR)).rules
    assert settling_in(ended.reason)[1] == ""
    assert "more than the data has" in "\n".join(verdict_lines(gate(run(122, name="d"), policy(FLOOR))))
    # PIQA has 1,500 rows here, however few of them were asked.
    key = Key("quiz", "piqa", "acc", None)
    assert "--limit 1400" in str(settled_by(Scored(record), key, 200, 1400, against=False))
    assert "more than the data has" in str(settled_by(Scored(record), key, 200, 1600, against=False))


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
