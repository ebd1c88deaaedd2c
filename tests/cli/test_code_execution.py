"""Programs that a model writes are run only where the user says so."""

import json

import pytest

from harness.record import load_record
from harness.sandbox import find_sandbox


def evaluate(harness_here, model, *more):
    return harness_here("eval", "--model", model, "--limit", "2", "--meter", "none", "--offline", *more)


def test_it_is_refused_unless_the_user_allows_it(harness_here, tiny_llama, tmp_path):
    finished = evaluate(harness_here, tiny_llama, "--suite", "code")
    assert finished.returncode == 2
    assert finished.stderr == (
        "harness: human_eval: runs programs that the model writes (in a sandbox), which has to be allowed. "
        "Add --allow-code-execution\n"
    )


def test_beside_other_tasks_it_is_left_out_with_the_reason(harness_here, tiny_llama, tmp_path):
    finished = evaluate(harness_here, tiny_llama, "--suite", "code", "--task", "siqa", "--json")
    assert finished.returncode == 0, finished.stderr
    estimates = json.loads(finished.stdout)["estimates"]
    assert {one["task"] for one in estimates if one["value"] is not None} == {"siqa"}
    assert "--allow-code-execution" in finished.stderr + finished.stdout


def test_its_answers_are_scored_again_only_where_it_is_allowed(harness_here, tiny_llama, tmp_path):
    if find_sandbox()[0] is None:
        pytest.skip(f"no sandbox can be had here: {'; '.join(find_sandbox()[1])}")
    finished = evaluate(harness_here, tiny_llama, "--suite", "code", "--allow-code-execution", "--max-tokens", "8")
    assert finished.returncode in (0, 3), finished.stderr  # 3: nothing was finished, so one score is absent
    (folder,) = (tmp_path / "runs").glob("*/")
    assert load_record(folder).spec.tasks[0].definition["limits"]["cpu_s"] == 3
    left_out = harness_here("verify", folder.name, "--rescore")
    assert (
        "human_eval: it runs the programs that the model writes, which needs --allow-code-execution" in left_out.stderr
    )
    again = harness_here("verify", folder.name, "--rescore", "--allow-code-execution")
    assert again.returncode == 0, again.stderr
    assert "scored again: 1 of 1 task" in again.stdout
