"""Verdicts beside a run: what is written is read again, and a damaged one is named."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.core.errors import RecordError
from harness.decision.verdicts import RuleVerdict, Verdict, read_verdicts, write_verdict

RULE = RuleVerdict(
    rule="accuracy is kept",
    kind="non_inferior",
    severity="block",
    suite="accuracy",
    task="overall",
    metric="score",
    verdict="INCONCLUSIVE",
    value=-0.01,
    low=-0.04,
    high=0.02,
    margin=0.02,
    n=400,
    n_needed=1546,
)
VERDICT = Verdict(
    run_id="0123456789ab",
    baseline_run_id="ba9876543210",
    policy="strict",
    policy_sha256="c" * 64,
    decided_at="2026-11-25T15:00:00+00:00",
    verdict="INCONCLUSIVE",
    rules=(RULE,),
)


def test_verdicts_are_read_as_they_were_written_the_oldest_first(tmp_path: Path) -> None:
    later = replace(VERDICT, baseline_run_id=None, decided_at="2026-11-26T15:00:00+00:00", verdict="PASS")
    write_verdict(tmp_path, later)
    write_verdict(tmp_path, VERDICT)
    assert read_verdicts(tmp_path) == [VERDICT, later]


def test_the_same_policy_and_baseline_replace_their_earlier_verdict(tmp_path: Path) -> None:
    write_verdict(tmp_path, VERDICT)
    again = replace(VERDICT, verdict="FAIL", decided_at="2026-11-27T15:00:00+00:00")
    write_verdict(tmp_path, again)
    assert read_verdicts(tmp_path) == [again]


def test_a_run_that_no_gate_looked_at_has_no_verdict(tmp_path: Path) -> None:
    assert read_verdicts(tmp_path) == []


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"format":2}', '{"format":1,"rules":[{"rule":1}]}'])
def test_a_damaged_verdict_is_named(tmp_path: Path, content: str) -> None:
    path = write_verdict(tmp_path, VERDICT)
    path.write_text(content)
    with pytest.raises(RecordError, match=path.name):
        read_verdicts(tmp_path)
