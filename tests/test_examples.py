"""The examples run as they say."""

import json
from pathlib import Path

import pytest
import yaml

from harness.record import load_record
from tests.forks import python
from tests.tiny import build_tiny_checkpoint

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("training")
    return [build_tiny_checkpoint(folder / f"checkpoint-{step}", seed=step) for step in (100, 200)]


def run(*arguments: object, folder: Path) -> str:
    done = python(*arguments, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_suite_of_ones_own_data_gives_scores_clean_noisy_and_calibrated(
    checkpoints: list[Path], tmp_path: Path
) -> None:
    suite = EXAMPLES / "support-desk" / "suite.yaml"
    told = run(
        *("-m", "harness", "eval", "--model", checkpoints[0], "--suite", suite, "--meter", "none", "--json"),
        *("--limit", 12),
        folder=tmp_path,
    )
    found = {(one["task"], one["metric"]): one for one in json.loads(told)["estimates"]}
    assert found["tickets", "acc"]["n"] == 12
    assert {("robustness:tickets", "relative_drop"), ("calibration:tickets", "ece_debiased")} <= set(found)


def test_a_training_run_is_followed_from_python(checkpoints: list[Path], tmp_path: Path) -> None:
    suite = EXAMPLES / "support-desk" / "suite.yaml"
    told = run(EXAMPLES / "follow_training.py", *checkpoints, "--suite", suite, "--limit", 8, folder=tmp_path)
    first, *lines = told.splitlines()
    assert first == f"{checkpoints[0]} -> {checkpoints[1]}"
    assert any(line.startswith("  tickets acc: ") for line in lines)
    assert len([load_record(path.parent) for path in tmp_path.glob("runs/*/seal.json")]) == 2


def test_the_workflow_gives_the_action_inputs_that_it_takes() -> None:
    (_, action), *_ = [
        (step["uses"], step["with"])
        for step in yaml.safe_load((EXAMPLES / "gate.yml").read_text())["jobs"]["gate"]["steps"]
        if "OWNER" in step.get("uses", "")
    ]
    known = yaml.safe_load((EXAMPLES.parent / "action.yml").read_text())["inputs"]
    assert set(action) <= set(known)
    assert {name for name, value in known.items() if value.get("required")} <= set(action)


def test_every_example_is_in_the_list() -> None:
    listed = (EXAMPLES / "README.md").read_text()
    examples = {path.name for path in EXAMPLES.iterdir()} - {"README.md"}
    assert {name for name in examples if name not in listed} == set()
