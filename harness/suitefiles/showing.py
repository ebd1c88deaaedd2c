"""A suite as it will run, and as a suite file that says the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from inspect import getdoc
from typing import Any

import yaml

from harness.core import registry
from harness.core.tasks import Disturbed
from harness.suitefiles.declaration import Declaration
from harness.suitefiles.declared import read_suite_file
from harness.suitefiles.selection import PlannedTask, Selection, select, suite_path
from harness.tasks.options import LM_EVAL, TaskOptions

__all__ = ["ShownSuite", "show_suite"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSuite:
    """A suite with everything that its name leaves unsaid; `entries` are those of a suite file, one a planned task."""

    name: str
    description: str
    selection: Selection
    entries: Sequence[Mapping[str, Any]]

    def to_json(self) -> dict[str, Any]:
        """Every task with suite, sizes, metrics and noise."""
        tasks = [
            {"suite": one.suite, **entry, "metrics": [metric.name for metric in one.task.metrics]}
            for one, entry in zip(self.selection.planned, self.entries, strict=True)
        ]
        return {**self._head(), "tasks": tasks}

    def to_yaml(self, request_counts: Sequence[int] | None = None) -> str:
        """A suite file that selects the same, with each task's suite and metrics in comments."""
        lines = [_dumped(self._head(), in_lines=True), "tasks:\n"]
        for index, (one, entry) in enumerate(zip(self.selection.planned, self.entries, strict=True)):
            counted = f"; {request_counts[index]:,} requests" if request_counts else ""
            metrics = ", ".join(metric.name for metric in one.task.metrics)
            lines += [f"  # {one.suite}: {metrics}{counted}\n", _indented(_dumped([dict(entry)]))]
        return "".join(lines)

    def _head(self) -> dict[str, Any]:
        suites = [suite.name for suite in self.selection.suites]
        weights = {"weights": dict(self.selection.weights)} if self.selection.weights else {}
        return {"name": self.name, "description": self.description, **self._picked(suites), **weights}

    def _picked(self, suites: Sequence[str]) -> dict[str, Any]:
        """The suites that come whole; those of which single tasks are picked follow from the tasks."""
        planned = {(one.suite, one.task.name) for one in self.selection.planned}
        whole = [name for name in suites if all((name, task) in planned for task in registry.suite(name).tasks)]
        return {"suites": whole} if whole else {}


def show_suite(name: str, options: TaskOptions) -> ShownSuite:
    """What a registered suite, a preset or a suite file selects. Raises as `select` does."""
    selection = select([name], [], limit=None, num_fewshot=None, seed=0, options=options)
    if name in registry.names("harness.suites"):
        described = (getdoc(type(registry.suite(name))) or "").split("\n\n", 1)[0].replace("\n", " ")
        return ShownSuite(name=name, description=described, selection=selection, entries=_entries(selection, {}))
    path = suite_path(name)
    file = read_suite_file(path)
    declared = {entry.name: entry for entry in file.tasks if isinstance(entry, Declaration)}
    return ShownSuite(
        name=file.name, description=file.description, selection=selection, entries=_entries(selection, declared)
    )


def _entries(selection: Selection, declared: Mapping[str, Declaration]) -> list[dict[str, Any]]:
    return [_entry(one, declared.get(one.task.name)) for one in selection.planned]


def _entry(one: PlannedTask, declaration: Declaration | None) -> dict[str, Any]:
    settings = one.settings
    sizes: dict[str, Any] = {"limit": "all" if settings.limit is None else settings.limit}
    if one.task.supports_fewshot:
        sizes["num_fewshot"] = settings.num_fewshot
    if declaration is not None:
        return {**declaration.model_dump(exclude_none=True, exclude_defaults=True), **sizes}
    bare = one.task.name
    name = f"{LM_EVAL}:{bare}" if one.suite == LM_EVAL and not bare.startswith(f"{LM_EVAL}:") else bare
    noise = {}
    if isinstance(one.task, Disturbed):
        noise = {key: list(one.task.definition[key]) for key in ("severities", "perturbations")}
    return {"name": name, **sizes, **noise}


def _dumped(value: Any, *, in_lines: bool = False) -> str:
    style = False if in_lines else None
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=110, default_flow_style=style)


def _indented(text: str) -> str:
    return "".join(f"  {line}" for line in text.splitlines(keepends=True))
