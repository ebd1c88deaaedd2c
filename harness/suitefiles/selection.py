"""From what the user asks for to what will run: tasks of suites, presets, suite files and lm-evaluation-harness."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from harness.core import registry
from harness.core.errors import InputError, PluginError, TaskError, UnknownName
from harness.core.process.progress import Progress
from harness.core.tasks import Aggregate, Disturbed, Suite, Task, TaskSettings
from harness.core.text.hashing import MAX_INTEGER
from harness.suitefiles.declaration import Declaration
from harness.suitefiles.declared import declare, read_suite_file, redeclare
from harness.suitefiles.schema import SuiteFile, TaskEntry
from harness.suitefiles.wrappers import is_wrapper, wrapped
from harness.tasks.options import LM_EVAL, TaskOptions

__all__ = [
    "PlannedTask",
    "Selection",
    "TaskOptions",
    "lm_eval_names",
    "presets",
    "rebuilt",
    "select",
    "suite_path",
    "tell_default",
]

Limit = int | Literal["all"] | None

CUSTOM = "custom"
DEFAULT = "full"
SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTask:
    """A task with its settings, under the suite whose rows of the results it makes."""

    suite: str
    task: Task
    settings: TaskSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What will run, each (suite, task) once, and the suites that derive estimates at the end."""

    planned: tuple[PlannedTask, ...]
    suites: tuple[Suite, ...]
    aggregates: tuple[Aggregate, ...] = ()
    """What sums up several of the tasks, each once."""
    weights: Mapping[str, float] = field(default_factory=dict)
    """What a suite file says that each suite weighs in a single score of the whole; nothing that can change a score."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """A task before its settings are final; `limit` and `num_fewshot` are its suite file's, None where it says none."""

    suite: str
    task: Task
    limit: Limit = None
    num_fewshot: int | None = None
    is_configured: bool = False
    """Whether its own entry says which noise it gets, so that the file's doesn't count."""

    @property
    def key(self) -> tuple[str, str]:
        return self.suite, self.task.name


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What one `--suite` stands for."""

    wanted: Sequence[_Wanted]
    suites: Sequence[Suite]
    weights: Mapping[str, float] = field(default_factory=dict)


def select(
    suites: Sequence[str],
    tasks: Sequence[str],
    *,
    limit: Limit,
    num_fewshot: int | None,
    seed: int,
    options: TaskOptions,
) -> Selection:
    """What `--suite` and `--task` ask for; the preset `full` where they ask for nothing.

    A suite is a registered name, a preset, or the path of a suite file (.yaml, .yml); a task is a registered name, or
    `lm-eval:NAME`, or another with `attribution:`, `calibration:`, `counterfactual:`, `robustness:` or `verbalised:`
    before its name (`counterfactual@SWAP:` with another exchange of names). A text of several, parted by commas, stands
    for each. An explicit `limit` or `num_fewshot` wins
    over a suite file's, which wins over a task's own; exemplars are only given to tasks that take them. What is asked
    for first wins where the same task comes again.

    Raises `InputError` for a limit below 1, a negative number of exemplars, a number beyond 2**53 - 1 or a list of
    empty names, `UnknownName`, `TaskError` for a faulty suite file, `PluginError`.
    """
    _check_numbers(limit, num_fewshot, seed)
    names, single = _split(suites), _split(tasks)
    if not names and not single:
        if suites or tasks:
            raise InputError("lists nothing to run", place="--suite" if suites else "--task", fix="Give a name")
        names = [DEFAULT]
    wanted: dict[tuple[str, str], _Wanted] = {}
    deriving: dict[str, Suite] = {}
    aggregates: dict[str, Aggregate] = {}
    weights: dict[str, float] = {}
    for name in names:
        found = _suite(name, options)
        for each in found.wanted:
            wanted.setdefault(each.key, each)
            aggregates |= {one.name: one for one in each.task.aggregates}
        deriving |= {suite.name: suite for suite in found.suites}
        weights = {**found.weights, **weights}
    for name in single:
        for each in _named(name, CUSTOM, options):
            wanted.setdefault(each.key, each)
            aggregates |= {one.name: one for one in each.task.aggregates}
    planned = tuple(
        PlannedTask(suite=each.suite, task=each.task, settings=_settings(each, limit, num_fewshot, seed))
        for each in wanted.values()
    )
    return Selection(
        planned=planned,
        suites=tuple(deriving.values()),
        aggregates=tuple(aggregates.values()),
        weights=weights,
    )


def tell_default(suites: str | Sequence[str], tasks: str | Sequence[str], progress: Progress) -> None:
    """Say what is taken where no suite and no task is named."""
    if not (suites or tasks):
        progress.note(f"no --suite given, so this runs {DEFAULT}; --suite quick is shorter, `harness suites` lists all")


def lm_eval_names(suites: Sequence[str], tasks: Sequence[str]) -> list[str]:
    """The names, for lm-eval, of its tasks that `--suite` and `--task` ask for. Raises as `select` does."""
    every = registry.names("harness.suites")
    files_named = [suite_path(name) for name in _split(suites) if name not in every]
    listed = [entry.name for path in files_named for entry in read_suite_file(path).tasks]
    named = (name.partition(":") for name in (*listed, *_split(tasks)))
    return list(dict.fromkeys(bare for source, colon, bare in named if colon and source == LM_EVAL))


def presets() -> dict[str, Path]:
    """The suite file of each preset, by name. Raises `PluginError` where two packages bring the same name."""
    found: dict[str, Path] = {}
    for entry in registry.names("harness.presets"):
        module = registry.load("harness.presets", entry)
        for resource in files(module).iterdir():
            path = Path(str(resource))
            if path.suffix not in SUFFIXES:
                continue
            if path.stem in found:
                raise PluginError("two packages bring a preset of this name", place=path.stem, fix="Uninstall one")
            found[path.stem] = path
    return found


def rebuilt(name: str, definition: Mapping[str, Any]) -> Task:
    """A task of a recorded run, by its name and `Task.definition`, for what its metrics say.

    Raises `HarnessError` where it can't be built here: a plug-in's that isn't installed, one of lm-evaluation-harness
    (which would fetch data), or one whose declaration names files or code of the user's.
    """
    source, colon, bare = name.partition(":")
    if colon and is_wrapper(source):
        return wrapped(source, rebuilt(bare, definition.get("inner", definition)))
    task = redeclare(definition) if "declaration" in definition else registry.task(name)
    return task.as_recorded(definition)


def _check_numbers(limit: Limit, num_fewshot: int | None, seed: int) -> None:
    if isinstance(limit, int) and not 1 <= limit <= MAX_INTEGER:
        raise InputError(f"{limit} is not a number of samples", place="--limit", fix="Give a number from 1 up, or all")
    if num_fewshot is not None and not 0 <= num_fewshot <= MAX_INTEGER:
        raise InputError(f"{num_fewshot} is not a number of exemplars", place="--num-fewshot", fix="Give 0 or more")
    if abs(seed) > MAX_INTEGER:
        raise InputError(f"{seed} is too large", place="--seed", fix=f"Give a number up to {MAX_INTEGER}")


def _split(several: Sequence[str]) -> list[str]:
    names = [name.strip() for text in several for name in text.split(",")]
    return list(dict.fromkeys(name for name in names if name))


def _suite(name: str, options: TaskOptions) -> _Found:
    if name in registry.names("harness.suites"):
        suite = registry.suite(name)
        return _Found(wanted=_tasks_of(suite), suites=[suite])
    return _file(suite_path(name), options)


def suite_path(name: str) -> Path:
    """The suite file that a path or a preset's name stands for. Raises `UnknownName`."""
    if name.endswith(SUFFIXES):
        return Path(name)
    known = presets()
    if name not in known:
        raise UnknownName("suite", name, [*registry.names("harness.suites"), *known])
    return known[name]


def _tasks_of(suite: Suite) -> list[_Wanted]:
    return [_Wanted(suite=suite.name, task=registry.task(name)) for name in suite.tasks]


def _named(
    name: str, otherwise: str, options: TaskOptions, declared: Mapping[str, Task] = MappingProxyType({})
) -> list[_Wanted]:
    """A task by name, several for a group of lm-eval; `otherwise` is the suite of one that no suite lists.

    `declared` are the tasks of the suite file that names it, which can be wrapped too.
    """
    source, colon, bare = name.partition(":")
    if colon and source == LM_EVAL:
        # lm_eval takes seconds to import, which only its tasks should cost.
        if options.outline:
            from harness.lm_eval.outline import outlined_tasks

            return [_Wanted(suite=LM_EVAL, task=task) for task in outlined_tasks(bare, options)]
        from harness.lm_eval.tasks import load_tasks

        return [_Wanted(suite=LM_EVAL, task=task) for task in load_tasks(bare, options)]
    if colon and is_wrapper(source):
        inner = _inner(bare, otherwise, options, declared)
        return [_Wanted(suite=otherwise, task=wrapped(source, task)) for task in inner]
    task = registry.task(name)
    homes = (suite for suite in registry.names("harness.suites") if name in registry.suite(suite).tasks)
    return [_Wanted(suite=next(homes, otherwise), task=task)]


def _inner(name: str, otherwise: str, options: TaskOptions, declared: Mapping[str, Task]) -> list[Task]:
    """The tasks to wrap that a name stands for."""
    return [declared[name]] if name in declared else [each.task for each in _named(name, otherwise, options)]


def _file(path: Path, options: TaskOptions) -> _Found:
    """The tasks of a suite file: those of its suites, with the settings it gives them, then the others it lists.

    Its suites are those that it names, and those that the tasks which it lists belong to.
    """
    file = read_suite_file(path)
    listed: dict[tuple[str, str], _Wanted] = {}
    declared = {
        entry.name: _declared(entry, path, f"tasks[{index}]", options)
        for index, entry in enumerate(file.tasks)
        if isinstance(entry, Declaration)
    }
    for index, entry in enumerate(file.tasks):
        for wanted in _entry(entry, file.name, f"{path}: tasks[{index}]", options, declared):
            if wanted.key in listed:
                raise TaskError(f"the task {wanted.task.name} is listed twice", place=f"{path}: tasks[{index}]")
            listed[wanted.key] = wanted
    suites = _suites_of(file, path)
    brought = {wanted.key: wanted for suite in suites for wanted in _tasks_of(suite)}
    every = registry.names("harness.suites")
    homes = dict.fromkeys(wanted.suite for wanted in listed.values() if wanted.suite in every)
    chosen = {
        key: replace(
            wanted,
            task=wanted.task if wanted.is_configured else _by_file(wanted.task, file, path),
            limit=file.limit if wanted.limit is None else wanted.limit,
            num_fewshot=file.num_fewshot if wanted.num_fewshot is None else wanted.num_fewshot,
        )
        for key, wanted in {**brought, **listed}.items()
    }
    known = dict.fromkeys([*(suite.name for suite in suites), *(suite for suite, _ in chosen)])
    for name in file.weights:
        if name not in known:
            unknown = UnknownName("suite in this file", name, known)
            raise TaskError(f"{name}: {unknown.problem}", place=f"{path}: weights")
    others = [registry.suite(name) for name in homes if name not in {suite.name for suite in suites}]
    return _Found(wanted=list(chosen.values()), suites=[*suites, *others], weights=file.weights)


def _suites_of(file: SuiteFile, path: Path) -> list[Suite]:
    every = registry.names("harness.suites")
    if file.suites == "all":
        return [registry.suite(name) for name in every]
    for index, name in enumerate(file.suites):
        if name not in every:
            unknown = UnknownName("suite", name, every)
            raise TaskError(f"{name}: {unknown.problem}", place=f"{path}: suites[{index}]")
    return [registry.suite(name) for name in dict.fromkeys(file.suites)]


def _declared(entry: Declaration, path: Path, where: str, options: TaskOptions) -> Task:
    if entry.name in registry.names("harness.tasks"):
        raise TaskError(f"a task named {entry.name} is installed", place=f"{path}: {where}.name", fix="Rename this one")
    return declare(entry, path, where, options)


def _entry(
    entry: TaskEntry | Declaration, suite: str, place: str, options: TaskOptions, declared: Mapping[str, Task]
) -> list[_Wanted]:
    if isinstance(entry, Declaration):
        task = declared[entry.name]
        return [_Wanted(suite=suite, task=task, limit=entry.limit, num_fewshot=entry.num_fewshot)]
    try:
        several = _named(entry.name, suite, options, declared)
    except UnknownName as error:
        raise TaskError(f"{error.place}: {error.problem}", place=f"{place}.name") from error
    if entry.severities or entry.perturbations:
        several = [replace(one, task=_disturbed(one.task, entry, place), is_configured=True) for one in several]
    if entry.num_fewshot and not all(wanted.task.supports_fewshot for wanted in several):
        raise TaskError(f"{entry.name} takes no exemplars", place=f"{place}.num_fewshot", fix="Leave it out")
    return [replace(wanted, limit=entry.limit, num_fewshot=entry.num_fewshot) for wanted in several]


def _by_file(task: Task, file: SuiteFile, path: Path) -> Task:
    """The task with the noise that the whole file asks for, if it is one that has any."""
    asked = file.severities or file.perturbations
    return _disturbed(task, file, str(path)) if asked and isinstance(task, Disturbed) else task


def _disturbed(task: Task, entry: TaskEntry | SuiteFile, place: str) -> Task:
    if not isinstance(task, Disturbed):
        raise TaskError(
            f"{task.name} has no noise in it, so severities and perturbations mean nothing",
            place=place,
            fix=f"Leave them out, or list robustness:{task.name}",
        )
    try:
        return task.configured(severities=entry.severities, perturbations=entry.perturbations)
    except UnknownName as error:
        raise TaskError(f"{error.place}: {error.problem}", place=f"{place}: perturbations") from error


def _settings(wanted: _Wanted, limit: Limit, num_fewshot: int | None, seed: int) -> TaskSettings:
    task = wanted.task
    limits = (limit, wanted.limit, task.default_limit)
    counts = (num_fewshot, wanted.num_fewshot, task.default_num_fewshot)
    chosen = next(value for value in limits if value is not None)
    exemplars = next(value for value in counts if value is not None)
    return TaskSettings(
        limit=None if chosen == "all" else chosen,
        num_fewshot=exemplars if task.supports_fewshot else 0,
        seed=seed,
    )
