"""What may stand in a suite file, and how a fault in one is told."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from harness.core.errors import TaskError, UnknownName
from harness.core.hashing import MAX_INTEGER
from harness.core.perturbations import MAX_SEVERITY
from harness.tasks.gold import GoldReading
from harness.tasks.templates import Template

__all__ = [
    "CanaryDeclaration",
    "ChoiceDeclaration",
    "ClassifyDeclaration",
    "Declaration",
    "GenerationDeclaration",
    "GroupFairnessDeclaration",
    "MembershipDeclaration",
    "MemorisationDeclaration",
    "RationalesDeclaration",
    "RollingDeclaration",
    "SuiteFile",
    "TagDeclaration",
    "TaskEntry",
    "TranslationDeclaration",
    "parse_suite_file",
]

B = TypeVar("B", bound=BaseModel)


def _limit(value: Any) -> Any:
    if value in (None, "all") or (isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_INTEGER):
        return value
    raise ValueError("must be a whole number from 1 up, or all")


def _suites(value: Any) -> Any:
    if value == "all" or (isinstance(value, list) and all(isinstance(name, str) for name in value)):
        return value
    raise ValueError("must be a list of names of suites, or all")


def _template(value: Any) -> Any:
    if isinstance(value, str):
        Template(value)
    return value


def _choices(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and len(value) >= 2 and all(isinstance(text, str) and text.strip() for text in value):
        return [_template(text) for text in value]
    quoted = " (YAML reads a bare yes or no as a truth value: put quotes around it)"
    mistaken = isinstance(value, list) and any(isinstance(text, bool) for text in value)
    raise ValueError(f"must be a column, or a list of two or more texts{quoted if mistaken else ''}")


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
Limit = Annotated[int | Literal["all"] | None, PlainValidator(_limit)]
Exemplars = Annotated[int, Field(ge=0, le=MAX_INTEGER)] | None
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=64)]
Text = Annotated[str, StringConstraints(min_length=1)]
Prompt = Annotated[Text, BeforeValidator(_template)]
Perturbations = Annotated[list[Text], Field(min_length=1)] | None


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class TaskEntry(_Model):
    """A registered task, with other settings than its own; the last two are for `robustness` tasks."""

    name: Text
    limit: Limit = None
    num_fewshot: Exemplars = None
    severities: Severities = None
    perturbations: Perturbations = None


class Declaration(_Model):
    """What every kind of declared task has."""

    name: Name
    description: str = ""
    data: Text
    id: Text | None = None
    cluster: Text | None = None
    limit: Limit = None
    num_fewshot: Exemplars = None
    metrics: list[Text] = Field(default_factory=list)


class ChoiceDeclaration(Declaration):
    """`type: multiple_choice`. `choices` are templates, or the column that holds a list of texts."""

    type: Literal["multiple_choice"]
    prompt: Prompt
    choices: Annotated[list[str] | str, PlainValidator(_choices)]
    gold: Text
    gold_is: GoldReading | None = None


class RollingDeclaration(Declaration):
    """`type: loglikelihood_rolling`."""

    type: Literal["loglikelihood_rolling"]
    text: Text
    max_length: Annotated[int, Field(ge=2, le=MAX_INTEGER)] | None = None
    stride: Annotated[int, Field(ge=1, le=MAX_INTEGER)] | None = None


class GenerationDeclaration(Declaration):
    """`type: generate_until`."""

    type: Literal["generate_until"]
    prompt: Prompt
    reference: Text
    until: list[Text] = Field(default_factory=lambda: ["\n"])
    max_tokens: Annotated[int, Field(ge=1, le=100_000)] = 64
    num_beams: Annotated[int, Field(ge=1, le=64)] = 1


class TranslationDeclaration(Declaration):
    """`type: translation`. `source` and `target` are columns, the languages ISO 639-1 codes. 3 exemplars by default."""

    type: Literal["translation"]
    source: Text
    target: Text
    source_language: Text
    target_language: Text
    max_tokens: Annotated[int, Field(ge=1, le=100_000)] = 64
    num_beams: Annotated[int, Field(ge=1, le=64)] = 1


class ClassifyDeclaration(Declaration):
    """`type: classify`, for classifiers. `labels` name what `gold` may hold; a regression has none."""

    type: Literal["classify"]
    text: Text
    text_pair: Text | None = None
    gold: Text
    gold_is: GoldReading | None = None
    problem: Literal["single_label", "multi_label", "regression"] = "single_label"
    labels: list[Text] = Field(default_factory=list)

    @field_validator("labels")
    @classmethod
    def _distinct(cls, labels: list[str]) -> list[str]:
        if len({label.strip().casefold() for label in labels}) < len(labels):
            raise ValueError("names a label twice (their case doesn't count)")
        return labels

    @model_validator(mode="after")
    def _labelled(self) -> "ClassifyDeclaration":
        if self.problem == "regression" and self.labels:
            raise ValueError("a regression has no labels: leave them out")
        if self.problem == "regression" and self.gold_is:
            raise ValueError("a regression's gold is a number: leave gold_is out")
        if self.problem != "regression" and not self.labels:
            raise ValueError("labels is missing: list the names that the gold column holds")
        return self


class TagDeclaration(Declaration):
    """`type: tag`, for token classifiers. The columns are those of a CoNLL file unless said otherwise."""

    type: Literal["tag"]
    words: Text = "tokens"
    tags: Text = "tags"
    types: Annotated[list[Text], Field(min_length=1)]


class GroupFairnessDeclaration(Declaration):
    """`type: group_fairness`. `attributes` are columns, `intersections` lists of some of them.

    The model compares the `labels` after the prompt, or, with `by: classifier`, labels the prompt's text itself.
    `positive` is the last of two labels where it isn't given.
    """

    type: Literal["group_fairness"]
    prompt: Prompt
    gold: Text
    gold_is: GoldReading | None = None
    labels: Annotated[list[Text], Field(min_length=2)]
    positive: Text | None = None
    attributes: Annotated[list[Text], Field(min_length=1)]
    intersections: list[Annotated[list[Text], Field(min_length=2)]] = Field(default_factory=list)
    smallest_group: Annotated[int, Field(ge=2, le=MAX_INTEGER)] = 10
    by: Literal["loglikelihood", "classifier"] = "loglikelihood"


class RationalesDeclaration(Declaration):
    """`type: rationales`. `text` is the column that people marked, `rationale` that of their marks.

    The model compares the `labels` after the `prompt`, or, with `by: classifier`, labels the text itself.
    """

    type: Literal["rationales"]
    text: Text
    rationale: Text = "rationale"
    prompt: Prompt | None = None
    gold: Text
    gold_is: GoldReading | None = None
    labels: Annotated[list[Text], Field(min_length=2)]
    by: Literal["loglikelihood", "classifier"] = "loglikelihood"
    max_units: Annotated[int, Field(ge=2, le=512)] = 40

    @model_validator(mode="after")
    def _asked(self) -> "RationalesDeclaration":
        if self.by == "classifier" and self.prompt is not None:
            raise ValueError("a classifier reads the text alone: leave the prompt out")
        if self.by == "loglikelihood" and self.prompt is None:
            raise ValueError("prompt is missing: say how the text is asked about, or `by: classifier`")
        return self


class MemorisationDeclaration(Declaration):
    """`type: memorisation`. `text` is the column of the documents."""

    type: Literal["memorisation"]
    text: Text


class MembershipDeclaration(Declaration):
    """`type: membership`. `data` holds texts that the model was trained on, `non_members` such as it was not."""

    type: Literal["membership"]
    non_members: Text
    text: Text


class CanaryDeclaration(Declaration):
    """`type: canaries`. Columns of the planted text and of the secret in it; candidates are drawn from `alphabet`."""

    type: Literal["canaries"]
    canary: Text
    secret: Text
    alphabet: Text = "0123456789"
    candidates: Annotated[int, Field(ge=1, le=100_000)] = 255


KINDS: Mapping[str, type[Declaration]] = {
    "multiple_choice": ChoiceDeclaration,
    "loglikelihood_rolling": RollingDeclaration,
    "generate_until": GenerationDeclaration,
    "translation": TranslationDeclaration,
    "classify": ClassifyDeclaration,
    "tag": TagDeclaration,
    "group_fairness": GroupFairnessDeclaration,
    "rationales": RationalesDeclaration,
    "memorisation": MemorisationDeclaration,
    "membership": MembershipDeclaration,
    "canaries": CanaryDeclaration,
}


class _Top(_Model):
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
        raise TaskError("names neither suites nor tasks", place=path, fix="Add `suites: all`, or a list of tasks")
    return SuiteFile.model_construct(**{**dict(top), "tasks": tasks})


def _entry(value: Any, path: Path, where: str) -> TaskEntry | Declaration:
    if isinstance(value, str):
        return _checked(TaskEntry, {"name": value}, path, where)
    if not isinstance(value, dict):
        raise TaskError("must be a task's name, or keys and values", place=f"{path}: {where}")
    if "type" not in value:
        return _checked(TaskEntry, value, path, where)
    kind = value["type"]
    if not isinstance(kind, str) or kind not in KINDS:
        error = UnknownName("type of task", str(kind), KINDS)
        raise TaskError(error.problem, place=f"{path}: {where}.type") from error
    return _checked(KINDS[kind], value, path, where)


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
