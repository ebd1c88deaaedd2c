"""Verdicts beside a run: what is written is read again, and a damaged one is named."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from harness.core.errors import RecordError
from harness.decision.verdicts import RuleVerdict, Verdict, latest_verdicts, read_verdicts, write_verdict
from tests.decision.runs import scores_of, sealed

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
DATED = json.dumps({"format": 1, **asdict(VERDICT)}, separators=(",", ":"))


def test_verdicts_are_read_as_they_were_written_the_oldest_first(tmp_path: Path) -> None:
    later = replace(VERDICT, baseline_run_id=None, decided_at="2026-11-26T15:00:00+00:00", verdict="PASS")
    write_verdict(tmp_path, later)
    write_verdict(tmp_path, VERDICT)
    assert read_verdicts(tmp_path) == [VERDICT, later]


def test_every_verdict_is_kept_and_the_last_of_a_policy_and_baseline_counts(tmp_path: Path) -> None:
    first = write_verdict(tmp_path, VERDICT)
    before = first.read_bytes()
    again = replace(VERDICT, verdict="FAIL", decided_at="2026-11-27T15:00:00+00:00")
    other = replace(VERDICT, baseline_run_id=None, decided_at="2026-11-26T15:00:00+00:00")
    for one in (other, again):
        write_verdict(tmp_path, one)
    assert first.read_bytes() == before
    assert read_verdicts(tmp_path) == [VERDICT, other, again]
    assert latest_verdicts(tmp_path) == [other, again]


def test_of_verdicts_of_the_same_second_the_later_written_counts(tmp_path: Path) -> None:
    for outcome in ("FAIL", "ERROR", "PASS"):
        write_verdict(tmp_path, replace(VERDICT, verdict=outcome))
    assert [one.verdict for one in latest_verdicts(tmp_path)] == ["PASS"]


def test_gates_at_once_keep_a_verdict_each(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        written = list(pool.map(lambda _: write_verdict(tmp_path, VERDICT), range(24)))
    assert len(set(written)) == len(read_verdicts(tmp_path)) == 24


def test_a_verdict_of_an_earlier_version_is_read_beside_newer_ones(tmp_path: Path) -> None:
    kept = write_verdict(tmp_path, VERDICT)
    kept.rename(kept.with_name("cccccccccccc-ba9876543210.json"))
    again = replace(VERDICT, verdict="PASS", decided_at="2026-11-27T15:00:00+00:00")
    write_verdict(tmp_path, again)
    assert read_verdicts(tmp_path) == [VERDICT, again]


def test_a_verdict_on_another_run_is_refused(tmp_path: Path) -> None:
    record = sealed(tmp_path, "a", scores_of([1.0, 0.0]))
    write_verdict(record.folder, replace(VERDICT, run_id=record.run_id))
    assert len(read_verdicts(record.folder)) == 1
    write_verdict(record.folder, VERDICT)
    with pytest.raises(RecordError, match="is a verdict on another run, 0123456789ab"):
        read_verdicts(record.folder)


def test_a_run_that_no_gate_looked_at_has_no_verdict(tmp_path: Path) -> None:
    assert read_verdicts(tmp_path) == []


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        "[]",
        '{"format":2}',
        '{"format":1,"rules":[{"rule":1}]}',
        DATED.replace("2026", "soon"),
        DATED.replace('"n":400', '"n":"400"'),
    ],
)
def test_a_damaged_verdict_is_named(tmp_path: Path, content: str) -> None:
    path = write_verdict(tmp_path, VERDICT)
    path.write_text(content)
    with pytest.raises(RecordError, match=path.name):
        read_verdicts(tmp_path)
