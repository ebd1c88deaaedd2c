"""A run as a folder that MLflow opens as its file store: `mlflow ui --backend-store-uri FOLDER`."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from harness.core.scores import Estimate
from harness.record import RunRecord
from harness.record.files import make_folder, write_whole

__all__ = ["write"]

_EXPERIMENT, _NAME = "1", "responsible-eval-harness"
_FINISHED = 3
_STANDARD = 1
_FORBIDDEN = re.compile(r"[^\w\-. /]", re.ASCII)


def write(record: RunRecord, out: Path) -> Path:
    """Write the run into the experiment `responsible-eval-harness` of a file store in the folder `out`.

    A metric is `suite/task/metric`, or that with ` by group`, with `.stderr`, `.low`, `.high` and `.n` beside it; the
    spec is in the parameters. Characters that MLflow forbids in a name become underscores.
    """
    started_ms = int(record.started_at.timestamp() * 1000)
    experiment = make_folder(out / _EXPERIMENT)
    about = {"artifact_location": experiment.resolve().as_uri(), "experiment_id": _EXPERIMENT, "name": _NAME}
    _yaml(experiment / "meta.yaml", {**about, "lifecycle_stage": "active"})
    run_id = record.run_id.ljust(32, "0")
    run = make_folder(experiment / run_id)
    artifacts = make_folder(run / "artifacts")
    _yaml(
        run / "meta.yaml",
        {
            "artifact_uri": artifacts.resolve().as_uri(),
            "end_time": started_ms,
            "entry_point_name": "",
            "experiment_id": _EXPERIMENT,
            "lifecycle_stage": "active",
            "run_id": run_id,
            "run_name": f"{Path(record.spec.model).name} {record.run_id}",
            "run_uuid": run_id,
            "source_name": "",
            "source_type": _STANDARD,
            "source_version": "",
            "start_time": started_ms,
            "status": _FINISHED,
            "tags": [],
            "user_id": "",
        },
    )
    for estimate in record.estimate_list:
        for name, value in _metrics(estimate).items():
            _entry(run / "metrics" / name, f"{started_ms} {value!r} 0\n")
    for name, text in {**_parameters(record), "harness_run_id": record.run_id}.items():
        _entry(run / "params" / name, text)
    _entry(run / "tags" / "mlflow.runName", f"{Path(record.spec.model).name} {record.run_id}")
    return run


def _metrics(one: Estimate) -> dict[str, float | int]:
    if one.value is None:
        return {}
    group = f" by {one.group}" if one.group else ""
    name = _FORBIDDEN.sub("_", f"{one.suite}/{one.task}/{one.metric}{group}").replace("..", "__")
    beside = {"stderr": one.stderr, "low": one.low, "high": one.high, "n": one.n}
    return {name: one.value} | {f"{name}.{what}": value for what, value in beside.items() if value is not None}


def _parameters(record: RunRecord) -> dict[str, str]:
    spec: Mapping[str, Any] = record.spec.to_json()
    names = ("model", "fingerprint", "kind", "seed", "dtype", "device", "apply_chat_template")
    return {name: str(spec[name]) for name in names} | {"suites": ", ".join(record.spec.suites)}


def _yaml(path: Path, value: Mapping[str, Any]) -> None:
    write_whole(path, yaml.safe_dump(dict(value), allow_unicode=True).encode())


def _entry(path: Path, text: str) -> None:
    make_folder(path.parent)
    write_whole(path, text.encode())
