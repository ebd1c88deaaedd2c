"""May the scores of two runs be held against each other? `compare`, the gate and the leaderboard ask here alike."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from harness.core.errors import RecordError
from harness.core.text.hashing import SHORT
from harness.core.text.reasons import Reason, told_together
from harness.record import RunRecord, RunSpec, TaskSpec

__all__ = [
    "Questions",
    "comparable",
    "differing_conditions",
    "faults",
    "part_fault",
    "questions_of",
    "require_comparable",
    "run_faults",
    "task_faults",
]

_RUN_FIELDS = {
    "seed": "the seed",
    "apply_chat_template": "the chat template",
    "fewshot_as_multiturn": "exemplars as turns of a chat",
    "system_prompt": "the system prompt",
    "thinking": "thinking",
    "gen_kwargs": "settings for writing",
}
_TASK_FIELDS = {
    "version": "version of the task",
    "sample_count": "samples",
    "num_fewshot": "exemplars",
    "data_sha256": "data",
    "requests_sha256": "prompts",
    "definition_sha256": "definition",
    "code_sha256": "code of the task",
}
_CONDITIONS = ("kind", "dtype", "device", "batch_tokens", "meter", "region", "chat_date")
_NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """What was asked of a run: all that must be alike in two of them; `tasks` by `suite/task`.

    Checkpoint, dtype, device and versions of packages are no part of it: they are what is compared.
    """

    run: Mapping[str, Any]
    tasks: Mapping[str, Mapping[str, Any]]

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values; `Questions(**value)` is the inverse."""
        return asdict(self)

    def narrowed_to(self, other: "Questions", shared: Collection[str]) -> "Questions":
        """These, of which only the samples of the other count, however many more there are.

        Of the tasks in `shared` all of those samples were asked here, in the same words.
        """
        tasks = {}
        for name, task in self.tasks.items():
            same = ("sample_count", "requests_sha256") if name in shared else ("sample_count",)
            tasks[name] = {**task, **{field: other.tasks[name][field] for field in same if name in other.tasks}}
        return Questions(run=self.run, tasks=tasks)


def questions_of(spec: RunSpec) -> Questions:
    """What a run of this spec is asked."""
    return Questions(
        run={name: getattr(spec, name) for name in _RUN_FIELDS},
        tasks={key: {name: getattr(task, name) for name in _TASK_FIELDS} for key, task in _tasks(spec).items()},
    )


def comparable(first: RunRecord, second: RunRecord) -> list[str]:
    """What differs so that scores can't be held against each other, one reason a fault; empty if they can.

    Tasks that both ran must be the same in data, prompts, exemplars and code, asked with the same seed, in the same
    manner of chat or without one; at least one must be shared. Checkpoint, dtype and device are what is compared, and
    may differ.
    """
    return faults(questions_of(first.spec), questions_of(second.spec))


def faults(first: Questions, second: Questions) -> list[str]:
    """As `comparable`, of what was asked."""
    return [*run_faults(first, second), *task_faults(first, second).values()]


def run_faults(first: Questions, second: Questions) -> list[str]:
    """As `comparable`, what differs in all tasks."""
    found: list[str] = [
        _changed(said, _said(first.run.get(name)), _said(second.run.get(name)))
        for name, said in _RUN_FIELDS.items()
        if first.run.get(name) != second.run.get(name)
    ]
    if not any(key in second.tasks for key in first.tasks):
        ours, theirs = _listed(first.tasks), _listed(second.tasks)
        found.append(Reason("the tasks: none is in both ({first} against {second})", first=ours, second=theirs))
    return found


def task_faults(first: Questions, second: Questions) -> dict[str, str]:
    """As `comparable`, what differs in a single task, by its `suite/task`."""
    shared = [key for key in first.tasks if key in second.tasks]
    return {key: fault for key in shared if (fault := _task_fault(key, first.tasks[key], second.tasks[key]))}


def part_fault(first: Sequence[object], second: Sequence[object]) -> str | None:
    """Why two headlines, made of these parts, can't be held against each other; None where they can."""
    return None if list(first) == list(second) else "the two are means of different tasks"


def require_comparable(first: RunRecord, second: RunRecord, asked: Questions | None = None) -> None:
    """Raises `RecordError` that lists what differs, where anything does that forbids to compare the two.

    `asked` is what counts of the first, where that is a part of what it was asked.
    """
    found = faults(asked or questions_of(first.spec), questions_of(second.spec))
    if found:
        raise RecordError(
            f"can't be compared with {first.run_id}; what differs: {'; '.join(found)}",
            place=second.folder,
            fix="Run both with the same suites, limits, exemplars, seed and version of the harness",
        )


def differing_conditions(first: RunRecord, second: RunRecord) -> list[str]:
    """What else differs between two runs that may be compared, one reason each: where they ran, by what versions."""
    one, other = first.spec.to_json(), second.spec.to_json()
    found: list[str] = [_changed(name, one[name], other[name]) for name in _CONDITIONS if one[name] != other[name]]
    packages, others = first.spec.versions, second.spec.versions
    found += [
        _changed(name, packages.get(name, _NONE), others.get(name, _NONE))
        for name in sorted({*packages, *others})
        if packages.get(name) != others.get(name)
    ]
    templates = [record.checkpoint.get("files", {}).get("chat_template.jinja") for record in (first, second)]
    if first.spec.apply_chat_template and templates[0] != templates[1]:
        found.append("the text of the chat template")
    tasks, others_tasks = _tasks(first.spec), _tasks(second.spec)
    for record, here, there in ((first, tasks, others_tasks), (second, others_tasks, tasks)):
        if alone := [key for key in here if key not in there]:
            found.append(Reason("only in {run}: {tasks}", run=record.run_id, tasks=_listed(alone)))
    return found


def _task_fault(key: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> str | None:
    parts: list[str] = []
    for field, name in _TASK_FIELDS.items():
        here, there = one.get(field), other.get(field)
        if here != there:
            counted = Reason("{what} {first} against {second}", what=name, first=str(here), second=str(there))
            parts.append(name if field.endswith("sha256") else counted)
    return Reason("{name}: {reason}", name=key, reason=told_together(parts, ", ")) if parts else None


def _changed(what: str, first: object, second: object) -> Reason:
    return Reason("{what}: {first} against {second}", what=what, first=str(first), second=str(second))


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "with it" if value else "without it"
    return _NONE if value is None else str(value)


def _tasks(spec: RunSpec) -> Mapping[str, TaskSpec]:
    return {f"{task.suite}/{task.task}": task for task in spec.tasks}


def _listed(names: Iterable[str]) -> str:
    listed = list(names)
    shown = ", ".join(listed[:SHORT])
    more = len(listed) - SHORT
    return Reason("{names} and {count} more", names=shown, count=more) if more > 0 else shown
