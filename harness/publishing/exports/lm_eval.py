"""Scores in the shape of lm-evaluation-harness's results file."""

import json
from pathlib import Path
from typing import Any

from harness.core.scores import Estimate
from harness.record import RunRecord
from harness.record.files import write_whole

__all__ = ["write"]


def write(record: RunRecord, out: Path) -> Path:
    """Write `results` and its neighbours by task; a suite's one score stands under the suite's name.

    Scores of groups and absent ones have no place in that file, and are left out.
    """
    results: dict[str, dict[str, Any]] = {}
    better: dict[str, dict[str, bool]] = {}
    counts: dict[str, dict[str, int]] = {}
    for one in record.estimate_list:
        if one.group is not None or one.value is None:
            continue
        name = one.suite if one.is_headline else _name(record, one)
        row = results.setdefault(name, {"alias": name})
        row[f"{one.metric},none"] = one.value
        row[f"{one.metric}_stderr,none"] = "N/A" if one.stderr is None else one.stderr
        counts[name] = {"original": one.n, "effective": one.n}
        if one.direction is not None:
            better.setdefault(name, {})[one.metric] = one.direction == "higher"
    tasks = {task.task: task for task in record.spec.tasks}
    value = {
        "results": results,
        "group_subtasks": {},
        "configs": {},
        "versions": {name: tasks[name].version if name in tasks else "N/A" for name in results},
        "n-shot": {name: tasks[name].num_fewshot if name in tasks else 0 for name in results},
        "higher_is_better": better,
        "n-samples": counts,
        "config": {
            "model": "responsible-eval-harness",
            "model_args": record.spec.model,
            "device": record.spec.device,
            "random_seed": record.spec.seed,
        },
        "model_name": record.spec.model,
        "harness_run_id": record.run_id,
    }
    write_whole(out, json.dumps(value, ensure_ascii=False, indent=2).encode() + b"\n")
    return out


def _name(record: RunRecord, one: Estimate) -> str:
    """The task's name, with its suite where another suite has a task of that name."""
    suites = {task.suite for task in record.spec.tasks if task.task == one.task}
    return one.task if suites <= {one.suite} else f"{one.suite}/{one.task}"
