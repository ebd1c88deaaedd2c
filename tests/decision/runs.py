"""Sealed runs made of given scores, without a model."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from harness.core import registry
from harness.core.headlines import headline_estimates
from harness.core.meters import Window
from harness.core.metrics import Metric, Proportion
from harness.core.scores import Estimate, SampleGroup, Score
from harness.core.tasks import Results, Suite
from harness.record import RunRecord, RunSpec, RunWriter, TaskSpec
from harness.record.metrics import METRICS, metric_rows
from harness.record.parts import PARTS
from harness.record.seal import SAMPLES, read_seal, write_seal
from harness.record.tables import score_row
from harness.run.judgement import estimate_metric

ACC = Proportion(name="acc", unit="share", direction="higher", source="-", by=("sex",))


class Quiz(Suite):
    """A suite with a headline."""

    name = "quiz"
    tasks = ("foxes",)
    headline = (("foxes", "acc"),)


QUIZ = Quiz()


def task_spec(**changes: Any) -> TaskSpec:
    fields: dict[str, Any] = {
        "suite": "quiz",
        "task": "foxes",
        "version": 1,
        "limit": None,
        "num_fewshot": 0,
        "sample_count": 100,
        "data_sha256": "d" * 64,
        "requests_sha256": "e" * 64,
        "definition_sha256": "f" * 64,
        "code_sha256": "0" * 64,
    }
    return TaskSpec(**{**fields, **changes})


def run_spec(fingerprint: str, **changes: Any) -> RunSpec:
    fields: dict[str, Any] = {
        "model": f"model-{fingerprint}",
        "fingerprint": fingerprint * 64,
        "kind": "causal",
        "tasks": (task_spec(),),
        "suites": ("quiz",),
        "seed": 0,
        "dtype": "float32",
        "device": "cpu",
        "batch_tokens": 1024,
        "apply_chat_template": False,
        "meter": "none",
        "region": None,
        "versions": {"torch": "2.13.0"},
    }
    return RunSpec(**{**fields, **changes})


def scores_of(values: Sequence[float | None], **fields: Any) -> list[Score]:
    """One score a value; None is invalid."""
    return [
        Score(
            sample_id=str(index),
            metric="acc",
            value=value,
            invalid="no number" if value is None else None,
            groups={"sex": "female" if index % 2 else "male"},
            **fields,
        )
        for index, value in enumerate(values)
    ]


def sealed(
    root: Path,
    fingerprint: str,
    scores: Sequence[Score],
    *,
    metrics: Sequence[Metric] = (ACC,),
    measurements: Sequence[Estimate] = (),
    windows: Sequence[Window] = (),
    checkpoint: Mapping[str, Any] | None = None,
    task: str = "foxes",
    suite: Suite = QUIZ,
    responses: Sequence[Mapping[str, Any]] = (),
    **changes: Any,
) -> RunRecord:
    """A sealed run of a task with these scores."""
    spec = run_spec(fingerprint, **changes)
    writer = RunWriter(root, spec)
    described = {"fingerprint": spec.fingerprint, "files": {}, "size_bytes": 1000, "parent_fingerprint": None}
    writer.write_json("environment.json", {"peak_memory_bytes": 5000, "packages": {}})
    writer.write_json("checkpoint.json", {**described, **(checkpoint or {})})
    writer.write_json("engine.json", {})
    writer.write_json(METRICS, metric_rows({(suite.name, task): metrics}))
    for window in windows:
        writer.append_window(window)
    estimates = []
    for metric in metrics:
        own = [score for score in scores if score.metric == metric.name]
        groups = {SampleGroup(name, score.groups[name]) for score in own for name in metric.by if name in score.groups}
        for group in (None, *sorted(groups, key=str)):
            chosen = [score for score in own if group is None or group.holds(score)]
            estimates.append(
                estimate_metric(metric, chosen, suite=suite.name, task=task, seed=0, signature="s", group=group)
            )
    estimates += headline_estimates([suite], estimates, "s")
    record = writer.seal(
        responses=responses,
        scores=[score_row(suite.name, task, score) for score in scores],
        estimates=estimates,
        measurements=measurements,
    )
    writer.close()
    return record


def without_metrics(record: RunRecord) -> RunRecord:
    """The run as a version sealed it that recorded no metrics."""
    (record.folder / METRICS).unlink()
    return seal_anew(record)


def seal_anew(record: RunRecord) -> RunRecord:
    """The run sealed as it is now, by whoever holds the folder."""
    kept = [name for name in read_seal(record.folder).files if name not in (SAMPLES, PARTS)]
    write_seal(record.folder, [name for name in kept if (record.folder / name).exists()])
    return RunRecord(record.folder)


def reading(value: float) -> Estimate:
    """Energy of a whole run."""
    return Estimate(
        suite="energy", task="run", metric="energy_joules", value=value, n=3, unit="J", direction="lower", signature="s"
    )


def measured(value: float) -> dict[str, Any]:
    """What makes a run one that took so many joules: the window, and what the suite makes of it."""
    window = Window(phase="quiz/loglikelihood", duration_s=2.0, energy_joules=value, basis="measured", source="meter")
    suite = registry.suite("energy")
    found = suite.derive(Results(scores={}, estimates=[], windows=[window], signature="s"))
    return {"suites": ("quiz", "energy"), "windows": [window], "measurements": found}


def flipped(n: int, gained: int, lost: int, *, right: float = 0.5) -> tuple[list[float], list[float]]:
    """Zeros and ones of two runs, so many of which changed."""
    first = np.array([1.0] * int(n * right) + [0.0] * (n - int(n * right)))
    second = first.copy()
    second[:lost], second[n - gained :] = 0.0, 1.0
    order = list(range(n))
    Random(1).shuffle(order)
    return first[order].tolist(), second[order].tolist()
