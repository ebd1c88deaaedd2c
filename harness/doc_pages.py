"""Pages on suites, made of what suites, tasks and metrics say of themselves: `python -m harness.doc_pages FOLDER`.

Metrics that share a meaning share an entry.
"""

import inspect
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from harness.core import registry
from harness.core.metrics import Metric
from harness.core.scores import OVERALL
from harness.core.tasks import Suite

__all__ = ["main", "pages", "suite_page"]


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
    parts.append("## Metrics")
    asked = [metric for task in tasks for metric in task.metrics]
    parts += _entries(asked)
    for names, text in suite.derived.items():
        parts += [f"### {', '.join(f'`{name}`' for name in names)}", _filled(text)]
    known = {metric.name for metric in asked}
    for where, metrics in suite.further_metrics():
        parts += [f"## Metrics of {where}", *_entries(one for one in metrics if one.name not in known)]
    return "\n\n".join(parts) + "\n"


def _headline(suite: Suite) -> list[str]:
    """What the suite's one score is made of, as a paragraph; none where it has no such score."""
    if not suite.headline:
        return []
    made_of = ", ".join(f"`{metric}` of {task}" for task, metric in suite.headline)
    mean = "the mean of " if len(suite.headline) > 1 else ""
    return [f"**Headline** (the task `{OVERALL}` of a run, and the leaderboard's column): {mean}{made_of}."]


def _entries(metrics: Iterable[Metric]) -> list[str]:
    """An entry for each text that explains metrics, in their order."""
    found: dict[str, list[Metric]] = {}
    for metric in metrics:
        same = found.setdefault(metric.meaning or "Not explained further: see its source.", [])
        same += [metric] if metric not in same else []
    return [part for text, same in found.items() for part in (_metric_heading(same), _filled(text), _facts(same))]


def _filled(text: str) -> str:
    return "\n\n".join(textwrap.fill(paragraph, 119, break_on_hyphens=False) for paragraph in text.split("\n\n"))


def _metric_heading(metrics: Sequence[Metric]) -> str:
    return "### " + ", ".join(dict.fromkeys(f"`{metric.name}`" for metric in metrics))


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
