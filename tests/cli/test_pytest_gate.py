"""The fixture `harness_gate`, as pytest gives it to somebody's own tests."""

from tests.decision.runs import scores_of, sealed
from tests.forks import python

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
    done = python("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=tmp_path)
    assert "2 failed, 1 passed" in done.stdout, done.stdout
    assert "FAIL (1 of 1 rule decided) by the policy ours" in done.stdout
    assert "Broken: the likely change" in done.stdout
    assert "no run in runs 'mian'" in done.stdout or "did you mean main" in done.stdout
    assert "_judge" not in done.stdout
    assert "During handling" not in done.stdout  # the fault is told once
