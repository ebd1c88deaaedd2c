"""Pages on suites, made from the docstrings of suites, tasks and metrics: `python -m harness.doc_pages FOLDER`.

A metric is explained by the text under the constant that defines it, by the docstring of its own class, or by that of
the function that makes it and gives it its name; metrics that share a text share an entry.
"""

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

from harness.core import metrics as core_metrics
from harness.core import registry
from harness.core.headlines import OVERALL
from harness.core.metrics import Metric
from harness.core.tasks import Suite, Task

__all__ = ["explanation", "main", "pages", "suite_page"]

_OWN_FIELDS = ("by", "smallest_group", "target", "direction")
"""Fields in which a task may change a metric without making another of it."""


def pages(names: Sequence[str]) -> Mapping[str, str]:
    """The Markdown of each suite's page, by file name, and an index of them."""
    suites = [registry.suite(name) for name in names]
    made = {f"{suite.name}.md": suite_page(suite) for suite in suites}
    lines = [f"- [{suite.name}]({suite.name}.md): {_first(_doc(type(suite)))}" for suite in suites]
    return {**made, "README.md": "\n".join(["# What each score means", "", *lines, ""])}


def suite_page(suite: Suite) -> str:
    """The page of one suite: what it measures, its tasks, and every metric of theirs."""
    tasks = [registry.task(name) for name in suite.tasks]
    parts = [f"# {suite.name}", _doc(type(suite)), *_headline(suite)]
    for task in tasks:
        size = f"{task.default_limit} samples by default"
        used = ", ".join(f"`{name}`" for name in dict.fromkeys(metric.name for metric in task.metrics))
        parts += [f"## {task.name}", _doc(type(task)), f"{size[0].upper()}{size[1:]}; metrics: {used}."]
    parts.append("# Metrics")
    asked = [(metric, type(task)) for task in tasks for metric in task.metrics]
    parts += _entries(asked)
    for names, text in suite.derived.items():
        parts += [f"## {', '.join(f'`{name}`' for name in names)}", textwrap.fill(text, 119)]
    for where, metrics, kind in suite.further_metrics():
        known = {metric.name for metric, _ in asked}
        parts += [f"# Metrics of {where}", *_entries([(one, kind) for one in metrics if one.name not in known])]
    return "\n\n".join(parts) + "\n"


def _headline(suite: Suite) -> list[str]:
    """What the suite's one score is made of, as a paragraph; none where it has no such score."""
    if not suite.headline:
        return []
    made_of = ", ".join(f"`{metric}` of {task}" for task, metric in suite.headline)
    mean = "the mean of " if len(suite.headline) > 1 else ""
    return [f"**Headline** (the task `{OVERALL}` of a run, and the leaderboard's column): {mean}{made_of}."]


def explanation(metric: Metric, task: Task) -> str | None:
    """What a metric means, in words; None where nobody wrote them."""
    return _explanation(metric, type(task))


def _explanation(metric: Metric, kind: type) -> str | None:
    for module in _modules(metric, kind):
        for name, text in _constant_texts(module).items():
            if _same(getattr(module, name, None), metric):
                return text
    if type(metric).__module__ != core_metrics.__name__:
        return _doc(type(metric)) or None
    for module in _modules(metric, kind):
        for pattern, text in _factory_texts(module).items():
            if re.fullmatch(pattern, metric.name):
                return text
    return None


def _entries(metrics: Sequence[tuple[Metric, type]]) -> list[str]:
    """An entry for each text that explains metrics, in their order."""
    found: dict[str, list[Metric]] = {}
    for metric, kind in metrics:
        text = _explanation(metric, kind) or "Not explained further: see its source."
        if metric not in found.setdefault(text, []):
            found[text].append(metric)
    return [part for text, same in found.items() for part in (_metric_heading(same), text, _facts(same))]


def _metric_heading(metrics: Sequence[Metric]) -> str:
    return "## " + ", ".join(dict.fromkeys(f"`{metric.name}`" for metric in metrics))


def _facts(metrics: Sequence[Metric]) -> str:
    first = metrics[0]
    targets = dict.fromkeys(_best(metric) for metric in metrics)
    sources = dict.fromkeys(metric.source for metric in metrics)
    grouped = dict.fromkeys(attribute for metric in metrics for attribute in metric.by)
    lines = [f"- Unit: {first.unit}", f"- Best: {'; '.join(targets)}", *(f"- Source: {source}" for source in sources)]
    if grouped:
        lines.append(f"- Also by: {', '.join(grouped)} (groups of at least {first.smallest_group} samples)")
    return "\n".join(lines)


def _best(metric: Metric) -> str:
    return f"{metric.direction} is better" if metric.target is None else f"{metric.target:.3g}"


def _modules(metric: Metric, task: type) -> Iterator[ModuleType]:
    """Where a metric of a task may be defined: the modules of both their classes, and all of our own these import."""
    ours = {"harness", "suites", task.__module__.partition(".")[0]}
    waiting = [kind.__module__ for kind in (*task.__mro__, *type(metric).__mro__)]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop(0)
        if name not in seen and name.partition(".")[0] in ours and name in sys.modules:
            seen.add(name)
            yield sys.modules[name]
            waiting += _imported(sys.modules[name])


@cache
def _imported(module: ModuleType) -> tuple[str, ...]:
    """The modules that it takes names from."""
    nodes = ast.walk(ast.parse(_source(module)))
    return tuple(node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module)


@cache
def _source(module: ModuleType) -> str:
    """The module's text, empty where it has none."""
    try:
        return inspect.getsource(module)
    except (OSError, TypeError):
        return ""


@cache
def _constant_texts(module: ModuleType) -> Mapping[str, str]:
    """The text that follows each assignment at the module's top, by the assigned name."""
    body = ast.parse(_source(module)).body
    found: dict[str, str] = {}
    for node, following in pairwise(body):
        targets = node.targets if isinstance(node, ast.Assign) else []
        said = following.value if isinstance(following, ast.Expr) else None
        if isinstance(said, ast.Constant) and isinstance(said.value, str):
            found |= {target.id: inspect.cleandoc(said.value) for target in targets if isinstance(target, ast.Name)}
    return found


@cache
def _factory_texts(module: ModuleType) -> Mapping[str, str]:
    """The docstring of each function that makes metrics, by the pattern of the name it gives them."""
    found: dict[str, str] = {}
    for function in ast.walk(ast.parse(_source(module))):
        if isinstance(function, ast.FunctionDef) and (text := ast.get_docstring(function)):
            calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
            named = [one.value for call in calls for one in call.keywords if one.arg == "name"]
            found |= {pattern: text for value in named if (pattern := _pattern(value))}
    return found


def _pattern(value: ast.expr) -> str | None:
    """The names that an expression may give, as a regular expression; None unless it is a text, or has some in it."""
    parts = value.values if isinstance(value, ast.JoinedStr) else [value]
    if not any(isinstance(part, ast.Constant) for part in parts):
        return None
    return "".join(re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".+" for part in parts)


def _same(constant: Any, metric: Metric) -> bool:
    """Whether the metric is the constant, but for what a task may change."""
    return type(constant) is type(metric) and all(
        getattr(constant, field.name) == getattr(metric, field.name)
        for field in fields(metric)
        if field.name not in _OWN_FIELDS
    )


def _doc(kind: type) -> str:
    return inspect.cleandoc(kind.__doc__ or "")


def _first(text: str) -> str:
    return text.partition("\n\n")[0].replace("\n", " ")


def main(folder: Path) -> None:
    """Write the page of every suite that is registered into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages(registry.names("harness.suites")).items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
