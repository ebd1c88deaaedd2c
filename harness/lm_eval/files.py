"""Refuses what a task file of lm-evaluation-harness would have run, and numbers that no task needs."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, TemplateSyntaxError, nodes
from lm_eval.api import metrics as lm_eval_metrics  # noqa: F401 - fills the registry of metrics
from lm_eval.api.registry import metric_registry

from harness.core.errors import TaskError, UnavailableError
from harness.core.process.time_limit import OverLimit, time_limit
from harness.lm_eval.places import Places
from harness.lm_eval.yamlfiles import Function, read_task_file
from harness.tasks.options import TaskOptions

__all__ = ["TASK_CODE", "TIRESOME", "refuse_code"]

TASK_CODE = "Read it, and add --trust-task-code if you trust it"
TIRESOME = "Mend it, or leave the task out"
METRIC_CODE = "Read it, and add --trust-metric-code if you trust it"

_MOST = {"repeats": 1_000, "num_fewshot": 10_000}
_MOST_GENERATION = {"max_gen_toks": 1_000_000, "max_new_tokens": 1_000_000, "max_tokens": 1_000_000, "num_beams": 100}
"""What a task may ask for of each; the most that lm-eval's own do are 64 repeats and 64,000 tokens."""


def refuse_code(path: Path, options: TaskOptions, places: Places) -> None:
    """Raise `TaskError` if the file, or one that it includes, would run code that `options` doesn't allow.

    The error names the file, the key and the option. Metrics that would be fetched while offline raise
    `UnavailableError`; a number that is none, or without measure, raises `TaskError`.
    """
    read = read_task_file(path, places)
    scores_itself = read.merged().get("process_results") is not None
    for one in read.files():
        for problem in _odd_numbers(one.config):
            raise TaskError(problem, place=one.path)
        if not options.trust_task_code:
            for problem in _task_code(one.config):
                raise TaskError(problem, place=one.path, fix=TASK_CODE)
        if not (options.trust_task_code and scores_itself):  # else the metric is but a name for what a function returns
            _refuse_metrics(one.config, one.path, options)


def _refuse_metrics(config: dict[str, Any], file: Path, options: TaskOptions) -> None:
    for key, name in _foreign_metrics(config):
        if not options.trust_metric_code:
            raise TaskError(
                f"{key} names {name}, which is not a metric of lm-eval: it would be loaded as a script and run",
                place=file,
                fix=METRIC_CODE,
            )
        if options.offline and not Path(name).exists():
            raise UnavailableError(f"{key}: the metric {name} would have to be fetched, and offline", place=file)


def _odd_numbers(config: dict[str, Any]) -> Iterator[str]:
    """Numbers that decide how much is done, and are none, or larger than any task needs."""
    for prefix, part in _configs(config, ""):
        generation = part.get("generation_kwargs")
        for key, holder, limits in (
            ("", part, _MOST),
            ("generation_kwargs.", generation if isinstance(generation, Mapping) else {}, _MOST_GENERATION),
        ):
            for name, most in limits.items():
                value = holder.get(name)
                if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
                    yield f"{prefix}{key}{name} is {value!r:.40}, not a whole number"
                elif value is not None and not 0 <= value <= most:
                    yield f"{prefix}{key}{name} is {value:,}; the limit is {most:,}"


def _task_code(config: dict[str, Any]) -> Iterator[str]:
    """What in a file would run code, one sentence each."""
    for key, value in _leaves(config, ""):
        if isinstance(value, Function):
            yield f"{key} is `!function {value.reference}`, which runs Python code"
        elif isinstance(value, str) and _reaches_internals(value):
            yield f"the template under {key} reaches for Python's internals, through which it can run code"
    for prefix, part in _configs(config, ""):
        arguments = part.get("dataset_kwargs")
        remote = isinstance(arguments, Mapping) and bool(arguments.get("trust_remote_code"))
        for key, runs, means in (
            ("class", "class" in part, "names a Python class, whose code would run"),
            ("custom_dataset", part.get("custom_dataset") is not None, "makes the data set by running Python code"),
            (
                "unsafe_code",
                part.get("unsafe_code", False) is not False,
                "says that the task runs what the model writes",
            ),
            ("dataset_path", str(part.get("dataset_path")).endswith(".py"), "is a script, which would run"),
            ("dataset_path", part.get("dataset_path") == "pandas", "unpickles files, which can run code"),
            ("dataset_kwargs.trust_remote_code", remote, "lets the data set run code"),
            ("use_prompt", _is_from_elsewhere(part.get("use_prompt")), "reads templates from another place"),
        ):
            if runs:
                yield f"{prefix}{key} {means}"


def _is_from_elsewhere(prompt: object) -> bool:
    """Whether a prompt's name isn't one of the few that lm-eval has itself."""
    return prompt is not None and not str(prompt).startswith("qa-basic:")


def _foreign_metrics(config: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Key and name of metrics that lm-eval would load with `evaluate`, which runs them."""
    for prefix, part in _configs(config, ""):
        listed = part.get("metric_list")
        for index, entry in enumerate(listed if isinstance(listed, list) else []):
            name = entry.get("metric") if isinstance(entry, Mapping) else None
            if isinstance(name, str) and (entry.get("hf_evaluate") is True or name not in metric_registry):
                yield f"{prefix}metric_list[{index}].metric", name


def _configs(config: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The file's own settings, and those that a group gives its members."""
    yield prefix, config
    members = config.get("task")
    for index, member in enumerate(members if isinstance(members, list) else []):
        if isinstance(member, Mapping):
            yield from _configs(member, f"{prefix}task[{index}].")


def _leaves(value: object, key: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(name, f"{key}.{name}" if key else str(name))
            yield from _leaves(inner, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{key}[{index}]")
    else:
        yield key, value


def _reaches_internals(template: str) -> bool:
    """Whether a template names a dunder attribute; the sandbox stops those that are put together while it renders."""
    if "__" not in template:
        return False
    try:
        with time_limit():
            tree = Environment().parse(template)
    except (TemplateSyntaxError, RecursionError, OverLimit):  # then it can't be rendered either, and that is told there
        return False
    names = [node.attr for node in tree.find_all(nodes.Getattr)]
    names += [node.value for node in tree.find_all(nodes.Const) if isinstance(node.value, str)]
    return any(name.startswith("__") for name in names)
