"""A gate on decisions about groups of people in a user's own table."""

from pathlib import Path

import pytest

from harness.decision.drafting import draft
from harness.decision.gate import gate
from harness.decision.policy import read_policy
from harness.run.options import EvalOptions
from harness.run.pipeline import evaluate
from tests.suites.tasks.test_groups import ROWS, declared


def test_a_gate_makes_the_metrics_of_uneven_labels_again(tiny_llama: Path, tmp_path: Path) -> None:
    rows = [{**row, "granted": ("no", "no", "yes")[n // 6 % 3]} for n, row in enumerate(ROWS)]
    declared(tmp_path, rows=rows)
    options = EvalOptions(output=tmp_path / "runs", meter="none", store="none")
    record = evaluate(str(tiny_llama), suite=str(tmp_path / "mine.yaml"), options=options)
    rate = next(one for one in record.estimate_list if one.metric == "selection_rate" and one.group is None)
    assert rate.target == pytest.approx(12 / 48)
    (tmp_path / "policy.yaml").write_text(draft(record, absolute=True))
    assert gate(record, read_policy(str(tmp_path / "policy.yaml"))).verdict != "ERROR"
