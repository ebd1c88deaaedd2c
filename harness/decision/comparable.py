"""May the scores of two runs be held against each other?"""

from collections.abc import Mapping

from harness.core.errors import RecordError
from harness.core.hashing import SHORT
from harness.record import RunRecord, TaskSpec

__all__ = ["comparable", "differing_conditions", "require_comparable", "run_faults", "task_faults"]

_TASK_FIELDS = {
    "version": "version of the task",
    "sample_count": "samples",
    "num_fewshot": "exemplars",
    "data_sha256": "data",
    "requests_sha256": "prompts",
    "definition_sha256": "definition",
    "code_sha256": "code of the task",
}
_CONDITIONS = ("kind", "dtype", "device", "batch_tokens", "meter", "region")


def comparable(first: RunRecord, second: RunRecord) -> list[str]:
    """What differs so that scores can't be held against each other, one line a fault; empty if they can.

    Tasks that both ran must be the same in data, prompts, exemplars and code, asked with the same seed and with or
    without the chat template; at least one must be shared. Checkpoint, dtype and device are what is compared, and
    may differ.
    """
    return [*run_faults(first, second), *task_faults(first, second).values()]


def run_faults(first: RunRecord, second: RunRecord) -> list[str]:
    """As `comparable`, what differs in all tasks."""
    faults = []
    one, other = first.spec, second.spec
    if one.seed != other.seed:
        faults.append(f"the seed: {one.seed} against {other.seed}")
    if one.apply_chat_template != other.apply_chat_template:
        asked = ["with" if spec.apply_chat_template else "without" for spec in (one, other)]
        faults.append(f"the chat template: {asked[0]} it against {asked[1]} it")
    tasks, others = _tasks(first), _tasks(second)
    if not any(key in others for key in tasks):
        faults.append(f"the tasks: none is in both ({_listed(tasks)} against {_listed(others)})")
    return faults


def task_faults(first: RunRecord, second: RunRecord) -> dict[str, str]:
    """As `comparable`, what differs in a single task, by its `suite/task`."""
    tasks, others = _tasks(first), _tasks(second)
    return {key: fault for key in tasks if key in others and (fault := _task_fault(key, tasks[key], others[key]))}


def require_comparable(first: RunRecord, second: RunRecord) -> None:
    """Raises `RecordError` that lists what differs, where anything does that forbids to compare the two."""
    faults = comparable(first, second)
    if faults:
        raise RecordError(
            f"can't be compared with {first.run_id}; what differs: {'; '.join(faults)}",
            place=second.folder,
            fix="Run both with the same suites, limits, exemplars, seed and version of the harness",
        )


def differing_conditions(first: RunRecord, second: RunRecord) -> list[str]:
    """What else differs between two runs that may be compared, one line each: where they ran, and by what versions."""
    one, other = first.spec.to_json(), second.spec.to_json()
    found = [f"{name}: {one[name]} against {other[name]}" for name in _CONDITIONS if one[name] != other[name]]
    packages, others = first.spec.versions, second.spec.versions
    found += [
        f"{name}: {packages.get(name, 'none')} against {others.get(name, 'none')}"
        for name in sorted({*packages, *others})
        if packages.get(name) != others.get(name)
    ]
    templates = [record.checkpoint.get("files", {}).get("chat_template.jinja") for record in (first, second)]
    if first.spec.apply_chat_template and templates[0] != templates[1]:
        found.append("the text of the chat template")
    tasks, others_tasks = _tasks(first), _tasks(second)
    for record, here, there in ((first, tasks, others_tasks), (second, others_tasks, tasks)):
        if alone := [key for key in here if key not in there]:
            found.append(f"only in {record.run_id}: {_listed(alone)}")
    return found


def _task_fault(key: str, one: TaskSpec, other: TaskSpec) -> str | None:
    parts = []
    for field, name in _TASK_FIELDS.items():
        here, there = getattr(one, field), getattr(other, field)
        if here != there:
            shown = "" if field.endswith("sha256") else f" {here} against {there}"
            parts.append(f"{name}{shown}")
    return f"{key}: {', '.join(parts)}" if parts else None


def _tasks(record: RunRecord) -> Mapping[str, TaskSpec]:
    return {f"{task.suite}/{task.task}": task for task in record.spec.tasks}


def _listed(names: object) -> str:
    listed = list(names)  # type: ignore[call-overload]
    more = f" and {len(listed) - SHORT} more" if len(listed) > SHORT else ""
    return ", ".join(listed[:SHORT]) + more
