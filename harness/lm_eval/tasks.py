"""Finds tasks of lm-evaluation-harness by name, makes sure that they run no code, and loads them."""

import glob
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import datasets
import huggingface_hub
from jinja2.exceptions import SecurityError, TemplateError
from lm_eval.tasks import TaskManager
from lm_eval.tasks._index import Entry, Kind, TaskIndex

from harness.core.errors import DataError, HarnessError, TaskError, UnavailableError, UnknownName
from harness.core.process.time_limit import OverLimit
from harness.core.requests import GenerateUntil
from harness.core.tasks import Task
from harness.lm_eval.files import TASK_CODE, TIRESOME, refuse_code
from harness.lm_eval.generation import with_gen_kwargs
from harness.lm_eval.groups import LmEvalGroup
from harness.lm_eval.guard import under_guard
from harness.lm_eval.own_index import own_index
from harness.lm_eval.places import Places
from harness.lm_eval.randomness import own_randomness
from harness.lm_eval.task import LmEvalTask
from harness.lm_eval.templates import guard_templates
from harness.lm_eval.yamlfiles import read_task_file
from harness.tasks.options import TaskOptions

__all__ = ["LmEvalTask", "find_entries", "load_tasks", "task_config"]

MAX_ENTRIES = 20_000
"""Of a group and of all below it, each as often as it is listed; lm-eval itself has 14,000 of them."""

_log = logging.getLogger(__name__)


def load_tasks(name: str, options: TaskOptions) -> list[Task]:
    """The tasks that lm-eval knows as `name`: one, or those of a group or tag. A YAML file may be named by its path.

    Tasks under `options.include_path` come before lm-eval's own. Every file is read for code before any of it takes
    effect. Raises `UnknownName`; `TaskError` for a file that is malformed or would run code that isn't allowed;
    `DataError` where the task's data files are missing; `UnavailableError` where its data can't be fetched.
    """
    # A library has no say in where messages go: without a handler of its own, Python would print them.
    logging.getLogger("lm_eval").addHandler(logging.NullHandler())
    folder = options.include_path
    if folder is not None and not folder.is_dir():
        raise TaskError("no such folder", place=f"--include-path {folder}")
    manager, entries = find_entries(name, options)
    files = sorted({entry.yaml_path for entry in entries if entry.yaml_path})
    places = Places.of(files, options)
    for path in files:
        refuse_code(path, options, places)
    _tell_of_twins(entries, options)
    guard_templates(trusted=options.trust_task_code)
    with _quiet(offline=options.offline), _translated(name), under_guard(places, options), own_randomness():
        loaded = manager.load(name)
        tasks = {task_name: _adopt(task, options) for task_name, task in loaded["tasks"].items()}
    groups = [LmEvalGroup(group, tasks) for group in loaded.get("groups", {}).values() if group.has_aggregation]
    for task in tasks.values():
        task.aggregates = [group for group in groups if task in group.tasks]
    return list(tasks.values())


def find_entries(name: str, options: TaskOptions) -> tuple[TaskManager, list[Entry]]:
    """lm-eval's index with the entries that loading `name` reads. Raises `UnknownName`, or `TaskError`."""
    folder = options.include_path
    named = [Path(name)] if name.endswith(".yaml") else []
    with under_guard(Places.of(named, options), options):
        # Reading lm-eval's own 14,000 files takes seconds, which a task of the user's own needn't cost.
        manager = TaskManager(include_path=folder, include_defaults=False)
        search = _Search(manager.task_index, options)
        if search.gather(name):
            return manager, search.found
        if not search.found:
            _refuse_broken(folder, f"**/{glob.escape(name)}.yaml", options)
        _log.info(
            "looking %s up in lm-eval; the first time its files are read and data fetched, which takes a while", name
        )
        for known, entry in own_index().items():
            manager.task_index.setdefault(known, entry)
        search = _Search(manager.task_index, options, inline_members=True)
        if search.gather(name):
            return manager, search.found
    _refuse_broken(folder, "**/*.yaml", options)
    raise UnknownName("lm-eval task", name, manager.task_index)


def _refuse_broken(folder: Path | None, pattern: str, options: TaskOptions) -> None:
    """Raise `TaskError` for a malformed file: the index leaves them out without a word, and one may hold the task."""
    for path in sorted(folder.glob(pattern)) if folder and "/" not in pattern.removeprefix("**/") else []:
        task_config(path, options)


class _Search:
    """Gathers the entries that loading a name reads; `inline_members` explain names that the index lacks."""

    def __init__(self, index: Mapping[str, Entry], options: TaskOptions, *, inline_members: bool = False) -> None:
        self.found: list[Entry] = []
        self._index, self._options, self._inline_members = index, options, inline_members
        self._members: dict[str, list[str]] = {}

    def gather(self, name: str, above: tuple[str, ...] = ()) -> bool:
        """Add the entries below a name; False where one is missing and isn't explained. Raises `TaskError`."""
        if name in above:
            raise TaskError("the group contains itself", place=f"lm-eval:{name}")
        entry = self._index.get(name) or _entry_of_file(Path(name), self._options)
        if entry is None:
            return False
        self.found.append(entry)
        if len(self.found) > MAX_ENTRIES:
            raise TaskError(f"stands for more than {MAX_ENTRIES:,} tasks and groups", place=f"lm-eval:{above[0]}")
        if name not in self._members:
            self._members[name] = _members(entry, self._options)
        return all(self.gather(member, (*above, name)) or self._inline_members for member in self._members[name])


def task_config(path: Path, options: TaskOptions) -> dict[str, Any]:
    """What a task's file says, with its includes: plain values, no data. Raises `TaskError`."""
    return read_task_file(path, Places.of([path], options)).merged()


def _entry_of_file(path: Path, options: TaskOptions) -> Entry | None:
    if path.suffix != ".yaml" or not path.exists():
        return None
    task_config(path, options)
    try:
        return TaskIndex.entry_from_path(path)
    except ValueError as error:
        raise TaskError(f"is not an lm-eval task ({_line(error)})", place=path) from error


def _members(entry: Entry, options: TaskOptions) -> list[str]:
    if entry.kind is Kind.TAG:
        return sorted(entry.tags)
    if entry.kind is not Kind.GROUP:
        return []
    return list(_named(task_config(entry.yaml_path, options)))


def _named(config: dict[str, Any]) -> Iterator[str]:
    """Names in a group's list; a subgroup that is written out there has members of its own."""
    listed = config.get("task")
    for member in listed if isinstance(listed, list) else []:
        if isinstance(member, dict):
            yield str(member.get("group", member.get("task")))
            yield from _named(member)
        else:
            yield str(member)


def _tell_of_twins(entries: Sequence[Entry], options: TaskOptions) -> None:
    """Say where a group lists a name again: lm-eval keeps the last alone, whatever settings the others have."""
    for entry in entries:
        names = Counter(_members(entry, options)) if entry.kind is Kind.GROUP else Counter()
        for name, count in names.items():
            if count > 1:
                _log.warning("the group %s lists %s %d times; as in lm-eval, the last counts", entry.name, name, count)


def _adopt(task: Any, options: TaskOptions) -> LmEvalTask:
    name = f"lm-eval:{task.task_name}"
    if getattr(task, "MULTIMODAL", False):
        raise TaskError("asks about images or sound, which no model here takes", place=name)
    if task.config.process_results is None:
        for metric, function in getattr(task, "_metric_fn_list", {}).items():
            if function is None:
                raise UnavailableError(f"the metric {metric} can't be loaded", place=name, fix="Check the network")
    if options.gen_kwargs and GenerateUntil.kind == task.OUTPUT_TYPE:
        settings = with_gen_kwargs(task.config.generation_kwargs or {}, options.gen_kwargs)
        task.set_config("generation_kwargs", settings)
    return LmEvalTask(task, options.chat, trusted=options.trust_task_code or options.trust_metric_code)


@contextmanager
def _quiet(*, offline: bool) -> Iterator[None]:
    """No progress bars of the datasets library, no word on each retry, and no network either if `offline`."""
    bars = datasets.are_progress_bars_disabled()
    verbosity = huggingface_hub.utils.logging.get_verbosity()
    huggingface_hub.utils.logging.set_verbosity_error()
    before = datasets.config.HF_HUB_OFFLINE, huggingface_hub.constants.HF_HUB_OFFLINE
    datasets.disable_progress_bars()
    if offline:
        datasets.config.HF_HUB_OFFLINE = huggingface_hub.constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        datasets.config.HF_HUB_OFFLINE, huggingface_hub.constants.HF_HUB_OFFLINE = before
        huggingface_hub.utils.logging.set_verbosity(verbosity)
        if not bars:
            datasets.enable_progress_bars()


@contextmanager
def _translated(name: str) -> Iterator[None]:
    """Says in our terms why lm-eval can't load a task; its files and the libraries below may raise anything."""
    place = f"lm-eval:{name}"
    try:
        yield
    except HarnessError:
        raise
    except SecurityError as error:
        raise TaskError(f"a template can run code ({error})", place=place, fix=TASK_CODE) from error
    except TemplateError as error:  # one of them is an OSError too
        raise TaskError(
            f"a template fails ({type(error).__name__}: {_line(error)})",
            place=place,
            fix="Check the task's file against its data",
        ) from error
    except OverLimit as error:
        raise TaskError(str(error), place=place, fix=TIRESOME) from error
    except FileNotFoundError as error:
        raise DataError(
            f"its data aren't there ({_line(error)})",
            place=place,
            fix="Check dataset_path and data_files; relative paths start at the current folder",
        ) from error
    except StopIteration as error:  # the JSON reader's, for want of a first row
        raise DataError("one of its data files holds no rows", place=place) from error
    except OSError as error:
        raise UnavailableError(
            f"its data set can't be fetched ({_line(error)})",
            place=place,
            fix="Run it once with the network, or give it local files: in a YAML of your own, "
            "`dataset_path: json` and `dataset_kwargs: {data_files: ...}`, with --include-path",
        ) from error
    except ImportError as error:
        raise TaskError(
            f"needs a package that isn't installed ({_line(error)})",
            place=place,
            fix="Install it; what lm-eval's own tasks need comes with its extras, such as lm-eval[ifeval,math]",
        ) from error
    except Exception as error:
        raise TaskError(
            f"lm-eval can't load it ({type(error).__name__}: {_line(error)})",
            place=place,
            fix="Check the task's file against its data",
        ) from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
