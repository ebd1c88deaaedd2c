"""What may stand in a suite file, and how a fault in one is told."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, Field, PlainValidator, ValidationError
from pydantic_core import ErrorDetails

from harness.core.errors import TaskError, UnknownName
from harness.core.perturbations import MAX_SEVERITY
from harness.suitefiles.declaration import Declaration, Exemplars, Limit, Name, StrictModel, Text
from harness.suitefiles.task_types import task_type

__all__ = ["SuiteFile", "TaskEntry", "parse_suite_file"]

B = TypeVar("B", bound=BaseModel)


def _suites(value: Any) -> Any:
    if value == "all" or (isinstance(value, list) and all(isinstance(name, str) for name in value)):
        return value
    raise ValueError("must be a list of names of suites, or all")


def _weights(value: Any) -> Any:
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        raise ValueError("must be names of suites, each with a number from 0 up")
    for name, weight in value.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight < float("inf"):
            raise ValueError(f"{name}: must be a number from 0 up")
    if value and not any(value.values()):
        raise ValueError("all weights are 0: give one that is more")
    return {name: float(weight) for name, weight in value.items()}


Weights = Annotated[dict[str, float], PlainValidator(_weights)]
Severities = Annotated[list[Annotated[int, Field(ge=1, le=MAX_SEVERITY)]], Field(min_length=1)] | None
Perturbations = Annotated[list[Text], Field(min_length=1)] | None


class TaskEntry(StrictModel):
    """A registered task, with other settings than its own; the last two are for `robustness` tasks."""

    name: Text
    limit: Limit = None
    num_fewshot: Exemplars = None
    severities: Severities = None
    perturbations: Perturbations = None


class _Top(StrictModel):
    name: Name
    description: str = ""
    suites: Annotated[list[str] | Literal["all"], PlainValidator(_suites)] = Field(default_factory=list)
    tasks: list[Any] = Field(default_factory=list)
    limit: Limit = None
    num_fewshot: Exemplars = None
    severities: Severities = None
    perturbations: Perturbations = None
    weights: Weights = Field(default_factory=dict)


class SuiteFile(_Top):
    """A suite file: registered suites, and tasks that are registered or declared here."""

    tasks: list[TaskEntry | Declaration]


def parse_suite_file(values: Mapping[str, Any], path: Path) -> SuiteFile:
    """Check the values of a suite file; `name` is the file's own where it isn't given.

    Raises `TaskError` naming the file and the field.
    """
    top = _checked(_Top, {"name": path.stem, **values}, path, "")
    tasks = [_entry(value, path, f"tasks[{index}]") for index, value in enumerate(top.tasks)]
    if not tasks and not top.suites:
        raise TaskError("lists neither suites nor tasks", place=path, fix="Add `suites: all`, or a list of tasks")
    return SuiteFile.model_construct(**{**dict(top), "tasks": tasks})


def _entry(value: Any, path: Path, where: str) -> TaskEntry | Declaration:
    if isinstance(value, str):
        return _checked(TaskEntry, {"name": value}, path, where)
    if not isinstance(value, dict):
        raise TaskError("must be a task's name, or keys and values", place=f"{path}: {where}")
    if "type" not in value:
        return _checked(TaskEntry, value, path, where)
    kind = value["type"]
    try:
        declaration = task_type(str(kind)).declaration
    except UnknownName as error:
        raise TaskError(error.problem, place=f"{path}: {where}.type") from error
    return _checked(declaration, value, path, where)


def _checked(model: type[B], values: Mapping[str, Any], path: Path, where: str) -> B:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        steps = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in first["loc"]]
        field = (where + "".join(steps)).removeprefix(".")
        raise TaskError(_problem(first, model), place=f"{path}: {field}" if field else path) from error


def _problem(details: ErrorDetails, model: type[BaseModel]) -> str:
    if details["type"] == "extra_forbidden":
        return UnknownName("key", str(details["loc"][-1]), model.model_fields).problem
    if details["type"] == "missing":
        return "is missing"
    if details["type"] == "value_error":
        return str(details["ctx"]["error"])
    if details["type"] == "string_too_short":
        return "is empty"
    if details["type"] == "string_pattern_mismatch":
        return "may hold letters, digits, dots, - and _ only, and begins with a letter or digit"
    message = details["msg"].replace("Input should", "must").replace("valid string", "text")
    hint = "; put quotes around it" if details["type"] == "string_type" and isinstance(details["input"], bool) else ""
    return f"{message[0].lower()}{message[1:]}{hint}"
