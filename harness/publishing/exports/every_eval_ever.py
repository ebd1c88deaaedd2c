"""Scores in the schema of Every Eval Ever, version 0.3.0: a common form for results of all evaluation tools."""

import json
from pathlib import Path
from typing import Any

from harness.checkpoints.loading.dtypes import SERVED
from harness.core.scores import Estimate
from harness.record import RunRecord
from harness.record.files import write_whole

__all__ = ["write"]

_LIBRARY = "responsible-eval-harness"


def write(record: RunRecord, out: Path) -> Path:
    """Write one evaluation log with a result for each score that has a value, those of groups included.

    The schema has to be told whether lower is better; a score with a target says so in its details. Who evaluated isn't
    in a record, and so is not stated.
    """
    spec = record.spec
    started = record.started_at
    known = [one for one in record.estimate_list if one.value is not None]
    value = {
        "schema_version": "0.3.0",
        "evaluation_id": f"{_LIBRARY}/{Path(spec.model).name}/{record.run_id}",
        "evaluation_timestamp": started.isoformat(),
        "retrieved_timestamp": str(int(started.timestamp())),
        "source_metadata": {
            "source_name": _LIBRARY,
            "source_type": "evaluation_run",
            "source_organization_name": "not stated",
            "evaluator_relationship": "other",
            "additional_details": {"run_id": record.run_id},
        },
        "eval_library": {"name": _LIBRARY, "version": spec.versions.get(_LIBRARY, "unknown")},
        "model_info": {
            "name": Path(spec.model).name,
            "id": spec.model,
            "additional_details": {
                "deployment_type": "externally_managed" if spec.device == SERVED else "self_deployed",
                "model_availability": "unknown",
                "fingerprint": spec.fingerprint,
                "kind": spec.kind,
                "dtype": spec.dtype,
            },
        },
        "evaluation_results": [_result(record, one) for one in known],
    }
    write_whole(out, json.dumps(value, ensure_ascii=False, indent=2).encode() + b"\n")
    return out


def _result(record: RunRecord, one: Estimate) -> dict[str, Any]:
    name = f"{one.suite}/{one.task}" + (f"[{one.group}]" if one.group else "")
    task = next((task for task in record.spec.tasks if (task.suite, task.task) == (one.suite, one.task)), None)
    data = {"data_sha256": task.data_sha256} if task and task.data_sha256 else {}
    return {
        "evaluation_result_id": f"{record.run_id}/{name}/{one.metric}",
        "evaluation_name": name,
        "source_data": {"dataset_name": one.task, "source_type": "other", "additional_details": data},
        "metric_config": {
            "metric_name": one.metric,
            "metric_unit": one.unit,
            "lower_is_better": one.direction == "lower",
            "additional_details": {
                "basis": one.basis,
                "signature": one.signature,
                **({} if one.target is None else {"target": str(one.target)}),
            },
        },
        "score_details": {"score": one.value, "uncertainty": _uncertainty(one)},
    }


def _uncertainty(one: Estimate) -> dict[str, Any]:
    found: dict[str, Any] = {"num_samples": one.n}
    if one.stderr is not None:
        found["standard_error"] = {"value": one.stderr}
    if one.low is not None and one.high is not None:
        interval = {"lower": one.low, "upper": one.high, "confidence_level": one.confidence}
        found["confidence_interval"] = {**interval, **({"method": one.interval} if one.interval else {})}
    return found
