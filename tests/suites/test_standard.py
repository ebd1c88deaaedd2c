"""The preset `standard`: each of its tasks runs, and scores as in lm-eval's own run with its own `hf` model."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import datasets
import lm_eval
import pytest
import yaml
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager

from harness.lm_eval.own_index import own_index
from harness.run.options import EvalOptions
from harness.run.pipeline import evaluate
from harness.suitefiles.selection import presets
from harness.suitefiles.showing import show_suite
from harness.tasks.options import TaskOptions
from tests.suites.hub_rows import write_hub
from tests.tiny import build_tiny_checkpoint, tiny_llama_config

pytestmark = pytest.mark.slow

SOURCE = "lm-eval:"
NEEDS = {"leaderboard_ifeval": "langdetect", "leaderboard_math_hard": "math_verify"}


def listed() -> dict[str, int | None]:
    """The exemplars of each of lm-eval's tasks in the preset that can be run with what is installed."""
    entries = yaml.safe_load(presets()["standard"].read_text())["tasks"]
    found = {one["name"].removeprefix(SOURCE): one.get("num_fewshot") for one in entries if SOURCE in one["name"]}
    return {name: shots for name, shots in found.items() if find_spec(NEEDS.get(name, "lm_eval"))}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = write_hub(tmp_path / "hub")
    # It keeps data by their name, and whoever runs the tests may have the real ones.
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """One whose window holds 25 exemplars."""
    return build_tiny_checkpoint(tmp_path / "wide", config=tiny_llama_config(max_position_embeddings=8192))


def theirs(checkpoint: Path, names: dict[str, int | None]) -> dict[str, Any]:
    manager = TaskManager(include_defaults=False)
    manager.task_index.update(own_index())
    model = HFLM(pretrained=str(checkpoint), device="cpu", dtype="float32", batch_size=8)
    results: dict[str, Any] = {}
    for shots in set(names.values()):
        found = lm_eval.simple_evaluate(
            model=model,
            tasks=[name for name, wanted in names.items() if wanted == shots],
            task_manager=manager,
            num_fewshot=shots,
            bootstrap_iters=0,
            limit=2,
            fewshot_random_seed=7,
        )
        assert found is not None
        results |= found["results"]
    return results


def test_its_tasks_score_as_in_lm_eval(hub: Path, tmp_path: Path, checkpoint: Path) -> None:
    names = listed()
    results = theirs(checkpoint, names)
    file = tmp_path / "standard.yaml"
    whole = yaml.safe_load(presets()["standard"].read_text())
    whole["tasks"] = [one for one in whole["tasks"] if one["name"].removeprefix(SOURCE) in names]
    file.write_text(yaml.safe_dump(whole))
    options = EvalOptions(
        output=tmp_path / "runs", store="none", meter="none", seed=7, offline=True, trust_task_code=True
    )
    record = evaluate(str(checkpoint), suite=[str(file)], limit=2, options=options)
    outlines = {
        one.task.name: one for one in show_suite(str(file), TaskOptions(offline=True, outline=True)).selection.planned
    }
    for task in (one for one in record.spec.tasks if one.task in outlines):
        outline = outlines[task.task]
        told = {metric for suite, name, metric in record.metrics if (suite, name) == (task.suite, task.task)}
        assert told == {metric.name for metric in outline.task.metrics}, task.task
        assert outline.settings.num_fewshot == task.num_fewshot, task.task
    assert outlines.keys() == {task.task for task in record.spec.tasks}
    compared = set()
    for one in record.estimate_list:
        metric, _, pipeline = one.metric.partition(":")
        task = one.task.removeprefix(SOURCE)
        value = results.get(task, {}).get(f"{metric},{pipeline or 'none'}")
        if value is not None:
            assert one.value == pytest.approx(value, rel=5e-4, abs=5e-4), one
            compared.add(task)
    assert compared >= {
        task for task, told in results.items() if any("," in key and "stderr" not in key for key in told)
    }
