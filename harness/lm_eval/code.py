"""The Python files behind a loaded task of lm-evaluation-harness."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import is_dataclass
from functools import partial
from pathlib import Path
from typing import Any

import lm_eval
import lm_eval.tasks

__all__ = ["code_files"]

_LIBRARY = Path(lm_eval.__file__).parent
_TASKS = Path(lm_eval.tasks.__file__).parent


def code_files(task: Any) -> list[Path]:
    """Where the task's class, and the functions that its file names, are defined; nothing of lm-eval's library."""
    named = (task.config, getattr(task, "_metric_fn_list", {}), getattr(task, "_aggregation_list", {}))
    found = {file for part in (type(task), *_callables(named)) for file in _files(part)}
    return sorted(file for file in found if _TASKS in file.parents or not _is_installed(file))


def _callables(value: Any) -> Iterator[Callable[..., Any]]:
    if is_dataclass(value) and not isinstance(value, type):
        yield from _callables(vars(value))
    elif isinstance(value, Mapping):
        yield from _callables(value.values())
    elif callable(value):
        yield value
    elif isinstance(value, Iterable) and not isinstance(value, str | bytes):
        for part in value:
            yield from _callables(part)


def _files(part: Any) -> Iterator[Path]:
    """Where a function is defined, and what it is bound to."""
    if isinstance(part, partial):
        yield from _files(part.func)
        return
    part = inspect.unwrap(part)
    if inspect.ismethod(part) and not isinstance(part.__self__, type):
        yield from _files(type(part.__self__))
    try:
        file = inspect.getsourcefile(part if hasattr(part, "__code__") or inspect.isclass(part) else type(part))
    except TypeError:  # it is built in
        return
    if file:
        yield Path(file).resolve()


def _is_installed(file: Path) -> bool:
    return _LIBRARY in file.parents or bool({"site-packages", "dist-packages"} & {*file.parts})
