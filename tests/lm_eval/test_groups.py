"""Aggregates of lm-eval's groups, against those that lm-eval makes itself with its own `hf` model."""

import json
from pathlib import Path
from typing import Any

import lm_eval
import pytest
import yaml
from lm_eval.tasks import TaskManager

from harness.core.scores import Estimate, TaskPart
from harness.core.statistics import Interval, mean_of_parts
from harness.record import RunRecord, RunSpec
from harness.run.options import EvalOptions
from harness.run.pipeline import evaluate
from harness.run.planning import plan
from tests.lm_eval.lm_eval_tasks import ROWS, TASKS, metric, over, write_task

CHOICE = {**TASKS["tiny_choice"], "metric_list": [metric("acc", "mean"), metric("acc_norm", "mean")]}
WRITING = {**TASKS["tiny_writing"], "metric_list": [metric("exact_match", "mean", ignore_case=True)]}
FIRST = {"name": "first", "filter": [{"function": "take_first"}]}
GROUPS: list[dict[str, Any]] = [
    {
        "group": "weighed",
        "task": ["few", "many", "writes", "inner"],
        "aggregate_metric_list": [
            {"metric": "acc", "aggregation": "mean", "weight_by_size": True},
            {"metric": "acc_norm", "aggregation": "mean", "weight_by_size": False},
            {"metric": "exact_match"},
            {"metric": "f1"},
        ],
        "metadata": {"version": 1.0},
    },
    {
        "group": "inner",
        "task": ["zero_shot", "writes_once"],
        "aggregate_metric_list": {"metric": "exact_match", "filter_list": "first", "weight_by_size": False},
    },
    {
        "group": "inline",
        "group_alias": "Inline",
        "task": [{"task": "few", "task_alias": "three", "num_fewshot": 3}],
        "aggregate_metric_list": [{"metric": "acc"}],
    },
]


def write_groups(place: Path) -> Path:
    """Tasks of 5 and of 12 documents, tasks that write with two filters and with one, and `GROUPS` of them."""
    (place / "few.jsonl").write_text("\n".join(json.dumps(row) for row in ROWS[:5]), encoding="utf-8")
    (place / "many.jsonl").write_text("\n".join(json.dumps(row) for row in ROWS), encoding="utf-8")
    few, many = over(place / "few.jsonl"), over(place / "many.jsonl")
    write_task(place, {**CHOICE, "task": "few", **few, "num_fewshot": 1})
    write_task(place, {**CHOICE, "task": "many", **many})
    write_task(place, {**CHOICE, "task": "zero_shot", **many, "num_fewshot": 0})
    write_task(place, {**WRITING, "task": "writes", **few})
    write_task(place, {**WRITING, "task": "writes_once", **many, "filter_list": [FIRST]})
    for group in GROUPS:
        (place / f"{group['group']}.yaml").write_text(yaml.safe_dump(group), encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_groups(tmp_path_factory.mktemp("groups"))


@pytest.fixture(scope="module")
def weighed(tiny_llama: Path, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> RunRecord:
    return ours(tiny_llama, folder, tmp_path_factory.mktemp("runs"), "weighed")


def options(folder: Path, output: Path) -> EvalOptions:
    return EvalOptions(include_path=folder, output=output, store="none", meter="none", seed=7, offline=True)


def ours(checkpoint: Path, folder: Path, tmp_path: Path, *names: str) -> RunRecord:
    return evaluate(
        str(checkpoint),
        task=[f"lm-eval:{name}" for name in names],
        limit="all",
        options=options(folder, tmp_path),
    )


def spec_of(checkpoint: Path, folder: Path, output: Path) -> RunSpec:
    return plan(str(checkpoint), suite=(), task="lm-eval:weighed", options=options(folder, output)).spec


def of(record: RunRecord, group: str) -> dict[str, Estimate]:
    return {one.metric: one for one in record.estimate_list if one.task == f"lm-eval:{group}"}


def theirs(checkpoint: Path, folder: Path, group: str) -> dict[str, Any]:
    results = lm_eval.simple_evaluate(
        model="hf",
        model_args={"pretrained": str(checkpoint), "dtype": "float32"},
        tasks=[group],
        task_manager=TaskManager(include_path=folder, include_defaults=False),
        bootstrap_iters=2,
        batch_size=4,
        device="cpu",
        fewshot_random_seed=7,
    )
    assert results is not None
    return dict(results["groups"])


def test_value_and_error_of_every_aggregate_are_lm_evals_own(
    tiny_llama: Path, folder: Path, weighed: RunRecord
) -> None:
    expected = theirs(tiny_llama, folder, "weighed")
    compared = 0
    for group, row in expected.items():
        found = of(weighed, group)
        for key, value in row.items():
            name, _, pipeline = key.partition(",")
            if not pipeline:
                continue
            one = found.get(name.removesuffix("_stderr")) or found[f"{name.removesuffix('_stderr')}:{pipeline}"]
            assert (one.stderr if name.endswith("_stderr") else one.value) == pytest.approx(value, rel=1e-6), key
            compared += 1
    assert compared == 2 * (2 + 2 + 1)
    assert set(of(weighed, "inner")) == {"exact_match"}


def test_a_group_says_what_it_is_made_of_and_what_is_missing(weighed: RunRecord) -> None:
    found = of(weighed, "weighed")
    acc, acc_norm = found["acc"], found["acc_norm"]
    sizes = {"few": 5, "many": 12, "zero_shot": 12}
    assert acc.parts == tuple(TaskPart(f"lm-eval:{task}", "acc", size) for task, size in sizes.items())
    assert [part.weight for part in acc_norm.parts] == [1, 1, 1]
    assert (acc.n, acc.unit, acc.direction) == (29, "share", "higher")
    assert acc.low is not None
    assert acc.value is not None
    assert acc.low < acc.value
    assert found["f1"].value is None
    assert found["f1"].reason == "none of its tasks has the metric f1"


def test_a_group_with_settings_of_its_own_gets_no_number_from_the_task_without_them(
    tiny_llama: Path, folder: Path, tmp_path: Path
) -> None:
    alone = of(ours(tiny_llama, folder, tmp_path, "inline"), "inline")["acc"]
    expected = theirs(tiny_llama, folder, "inline")["inline"]
    assert (alone.value, alone.stderr) == (
        pytest.approx(expected["acc,none"]),
        pytest.approx(expected["acc_stderr,none"]),
    )
    mixed = of(ours(tiny_llama, folder, tmp_path, "few", "inline"), "inline")["acc"]
    assert mixed.value is None
    assert "lm-eval:few was run with settings other than" in str(mixed.reason)


def test_an_edit_of_how_a_group_sums_up_is_another_run(tiny_llama: Path, tmp_path: Path) -> None:
    place = write_groups(tmp_path)
    before = spec_of(tiny_llama, place, tmp_path)
    changed = [{**one, "weight_by_size": False} for one in GROUPS[0]["aggregate_metric_list"]]
    (place / "weighed.yaml").write_text(yaml.safe_dump({**GROUPS[0], "aggregate_metric_list": changed}))
    after = spec_of(tiny_llama, place, tmp_path)
    assert before.aggregates["lm-eval:weighed"] != after.aggregates["lm-eval:weighed"]
    assert before.aggregates["lm-eval:inner"] == after.aggregates["lm-eval:inner"]
    assert before.run_id != after.run_id


def test_the_interval_of_a_mean_over_parts_is_that_of_zou_and_donner() -> None:
    parts = [
        Interval(value=0.5, stderr=0.1, low=0.3, high=0.8, method="m"),
        Interval(value=1.0, stderr=0.0, low=0.6, high=1.0, method="m"),
    ]
    found = mean_of_parts(parts, [3, 1])
    # By hand: .75 * .5 + .25 * 1; ends from .75 * .2 and .25 * .4, and from .75 * .3 and .25 * 0.
    assert found.value == pytest.approx(0.625)
    assert found.stderr == pytest.approx(0.075)
    assert found.low == pytest.approx(0.625 - (0.15**2 + 0.1**2) ** 0.5)
    assert found.high == pytest.approx(0.625 + 0.225)
