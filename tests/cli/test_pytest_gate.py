"""The fixture `harness_gate`, as pytest gives it to somebody's own tests."""

import subprocess
import sys

from harness.cli import console
from tests.decision.runs import scores_of, sealed

TESTS = """
def test_ready(harness_gate):
    assert harness_gate("runs/b", policy="policy.yaml", baseline="main").verdict == "PASS"

def test_not_ready(harness_gate):
    harness_gate("runs/c", policy="policy.yaml", baseline="main")

def test_which(harness_gate):
    harness_gate("runs/b", policy="policy.yaml", baseline="mian")
"""
POLICY = "format: 1\nname: ours\nrules:\n  - {kind: non_inferior, suite: quiz, margin: 0.1}\n"


def test_a_checkpoint_is_gated_by_a_test(tmp_path):
    for name, right in (("main", 150), ("b", 150), ("c", 80)):
        record = sealed(tmp_path / "made", name[0], scores_of([1.0] * right + [0.0] * (200 - right)))
        (tmp_path / "runs").mkdir(exist_ok=True)
        record.folder.rename(tmp_path / "runs" / name)
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "test_ours.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
    assert "2 failed, 1 passed" in done.stdout, done.stdout
    assert "FAIL (1 of 1 rule decided) by the policy ours" in done.stdout
    assert "Broken: the likely change" in done.stdout
    assert "no run in runs 'mian'" in done.stdout or "did you mean main" in done.stdout
    assert "_judge" not in done.stdout


def test_off_a_terminal_a_line_says_every_half_minute_how_far_it_is(monkeypatch):
    now, said = [0.0], []
    monkeypatch.setattr(console.errors, "print", lambda text: said.append(str(text)))
    progress = console.LineProgress(lambda: now[0])
    progress.begin(100)
    progress.phase("accuracy/loglikelihood")
    for step in range(1, 8):
        now[0] = 10.0 * step
        progress.advance(10)
    progress.begin(110)  # what the answers so far led to
    now[0] = 90.0
    progress.phase("robustness/loglikelihood")
    assert said == [
        "accuracy/loglikelihood, 30 of 100 (30%), after 30 s",
        "accuracy/loglikelihood, 60 of 100 (60%), after 60 s",
        "robustness/loglikelihood, 70 of 110 (64%), after 90 s",
    ]
