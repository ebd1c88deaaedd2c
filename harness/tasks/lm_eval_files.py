"""Reads the YAML of lm-eval tasks without running anything, and refuses what would run code.

lm-eval imports the functions that a file names while it parses the file, and renders templates from which Python's
internals can be reached. So every file is read here first, with a loader that marks `!function` and calls nothing, and
templates are rendered in jinja2's sandbox.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, StrictUndefined, TemplateSyntaxError, nodes
from jinja2.sandbox import SandboxedEnvironment
from lm_eval import utils
from lm_eval.api import metrics as lm_eval_metrics  # noqa: F401 - fills the registry of metrics
from lm_eval.api.registry import metric_registry
from lm_eval.tasks._yaml_loader import load_yaml

from harness.core.errors import TaskError, UnavailableError
from harness.tasks.options import TaskOptions

__all__ = ["TASK_CODE", "read_merged", "refuse_code", "sandbox_templates"]

TASK_CODE = "Read it, and add --trust-task-code if you trust it"
METRIC_CODE = "Read it, and add --trust-metric-code if you trust it"

_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class _Function:
    """A `!function` tag, which lm-eval would import."""

    reference: str


class _MarkingLoader(_SafeLoader):  # type: ignore[misc]
    """Parses as lm-eval does, but marks functions instead of importing them."""


_MarkingLoader.add_constructor("!function", lambda _loader, node: _Function(str(node.value)))


def read_merged(path: Path) -> dict[str, Any]:
    """A task's YAML file with its includes, as lm-eval merges them, functions left unresolved. Raises `TaskError`."""
    for _ in _with_includes(path, set()):
        pass  # a file that can't be read is named here, where lm-eval would name none
    try:
        merged: dict[str, Any] = load_yaml(path, resolve_func=False)
    except ValueError as error:
        raise TaskError(f"can't be read ({error})", place=path) from error
    return merged


def refuse_code(path: Path, options: TaskOptions) -> None:
    """Raise `TaskError` if the file, or one that it includes, would run code that `options` doesn't allow.

    The error names the file, the key and the option. Metrics that would be fetched while offline raise
    `UnavailableError`.
    """
    scores_itself = read_merged(path).get("process_results") is not None
    for file, config in _with_includes(path, set()):
        if not options.trust_task_code:
            for problem in _task_code(config):
                raise TaskError(problem, place=file, fix=TASK_CODE)
        for key, name in _foreign_metrics(config):
            if options.trust_task_code and scores_itself:
                continue  # then the metric is but a name for what the task's own function returns
            if not options.trust_metric_code:
                raise TaskError(
                    f"{key} names {name}, which is no metric of lm-eval's: it would be loaded as a script and run",
                    place=file,
                    fix=METRIC_CODE,
                )
            if options.offline and not Path(name).exists():
                raise UnavailableError(f"{key}: the metric {name} would have to be fetched, and offline", place=file)


def sandbox_templates() -> None:
    """From here on, let lm-eval render templates in jinja2's sandbox; it renders the same, but reaches no internals."""
    if not isinstance(utils.env, SandboxedEnvironment):
        sandbox = SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)
        sandbox.filters.update(utils.env.filters)
        utils.env = sandbox


def _read(path: Path) -> dict[str, Any]:
    """The mapping in a task's YAML file, its includes not followed. Raises `TaskError`."""
    try:
        # A subclass of the safe loader: it constructs plain values and marks, nothing else.
        config = yaml.load(path.read_bytes(), Loader=_MarkingLoader)
    except OSError as error:
        raise TaskError(f"can't be read ({error.strerror})", place=path) from error
    except (yaml.YAMLError, UnicodeError) as error:
        raise TaskError(f"is not valid YAML ({' '.join(str(error).split())})", place=path) from error
    if not isinstance(config, dict):
        raise TaskError(f"holds a {type(config).__name__} where lm-eval wants a mapping", place=path)
    return config


def _with_includes(path: Path, seen: set[Path]) -> Iterator[tuple[Path, dict[str, Any]]]:
    path = path.expanduser().resolve()
    if path in seen:
        return
    seen.add(path)
    config = _read(path)
    yield path, config
    included = config.get("include", [])
    for other in included if isinstance(included, list) else [included]:
        yield from _with_includes(path.parent / str(other), seen)


def _task_code(config: dict[str, Any]) -> Iterator[str]:
    """What in a file would run code, one sentence each."""
    for key, value in _leaves(config, ""):
        if isinstance(value, _Function):
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
        ):
            if runs:
                yield f"{prefix}{key} {means}"


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
        tree = Environment().parse(template)
    except TemplateSyntaxError:  # then it can't be rendered either, and lm-eval says so
        return False
    names = [node.attr for node in tree.find_all(nodes.Getattr)]
    names += [node.value for node in tree.find_all(nodes.Const) if isinstance(node.value, str)]
    return any(name.startswith("__") for name in names)
