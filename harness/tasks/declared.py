"""Tasks that a user's suite file declares, and the file itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import data
from harness.core.datasets import DataSet, Row
from harness.core.errors import DataError, HarnessError, TaskError, UnknownName
from harness.core.hashing import file_digest
from harness.core.metrics import Metric
from harness.core.tasks import Task
from harness.tasks.choices import MultipleChoice
from harness.tasks.generation import Generation
from harness.tasks.metrics import METRICS
from harness.tasks.options import TaskOptions
from harness.tasks.rolling import RollingPerplexity
from harness.tasks.rows import RowTask, cluster_of
from harness.tasks.schema import (
    ChoiceDeclaration,
    Declaration,
    GenerationDeclaration,
    RollingDeclaration,
    SuiteFile,
    parse_suite_file,
)
from harness.tasks.templates import Template, cell_text
from harness.tasks.yamlfile import read_yaml

__all__ = ["DeclaredChoice", "DeclaredGeneration", "DeclaredRolling", "declare", "gold_index", "read_suite_file"]

EVALUATE = "evaluate:"
DATA_SUFFIXES = (".jsonl", ".json", ".csv", ".tsv", ".parquet", ".conll")


def read_suite_file(path: Path) -> SuiteFile:
    """What a suite file says, checked. Raises `TaskError` naming the file, and the line or field."""
    return parse_suite_file(read_yaml(path), path)


def declare(declaration: Declaration, path: Path, where: str, options: TaskOptions) -> Task:
    """The task that the field `where` of the suite file `path` declares.

    Raises `TaskError` for settings that contradict each other, or metrics that the kind of task doesn't have;
    `DataError` where the data file isn't there.
    """
    context = _Context(path=path, where=where, options=options)
    if isinstance(declaration, ChoiceDeclaration):
        return DeclaredChoice(declaration, context)
    if isinstance(declaration, GenerationDeclaration):
        return DeclaredGeneration(declaration, context)
    if isinstance(declaration, RollingDeclaration):
        return DeclaredRolling(declaration, context)
    raise TypeError(f"no task for {type(declaration).__name__}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Context:
    """Where a declaration stands, and what the user allows."""

    path: Path
    where: str
    options: TaskOptions

    def place(self, field: str) -> str:
        return f"{self.path}: {self.where}.{field}"

    def data(self, declaration: Declaration, columns: Sequence[str]) -> DataSet | str:
        if not declaration.data.lower().endswith(DATA_SUFFIXES):
            try:
                return data.find(declaration.data).name
            except UnknownName as error:
                raise TaskError(
                    f"{error.place}: {error.problem}",
                    place=self.place("data"),
                    fix=f"Or name a file ending in {', '.join(DATA_SUFFIXES)}",
                ) from error
        file = self.path.parent / Path(declaration.data).expanduser()
        if not file.is_file():
            raise DataError(f"no such file: {file}", place=self.place("data"))
        return DataSet(
            name=declaration.name,
            title=str(file),
            source=data.FileSource(file),
            licence="the user's own",
            citation="",
            homepage="",
            columns=tuple(dict.fromkeys(columns)),
        )

    def metrics(self, references: Sequence[str], allowed: Sequence[str]) -> tuple[Metric, ...]:
        found: dict[str, Metric] = {}
        for index, reference in enumerate(references):
            metric = self._metric(reference, allowed, field := f"metrics[{index}]")
            if metric.name in found:
                raise TaskError(f"a metric named {metric.name} is listed already", place=self.place(field))
            found[metric.name] = metric
        return tuple(found.values())

    def _metric(self, reference: str, allowed: Sequence[str], field: str) -> Metric:
        if reference in allowed:
            return METRICS[reference]
        if not reference.startswith(EVALUATE):
            unknown = UnknownName("metric for this type of task", reference, allowed)
            raise TaskError(f"{reference}: {unknown.problem}", place=self.place(field))
        # The library behind it takes seconds to import, which few suite files need.
        from harness.tasks.evaluate_metrics import load_metric

        try:
            return load_metric(
                self.located(reference),
                trust_metric_code=self.options.trust_metric_code,
                offline=self.options.offline,
            )
        except HarnessError as error:
            raise type(error)(error.problem, place=f"{self.place(field)}: {error.place}", fix=error.fix) from error

    def located(self, reference: str) -> str:
        """The reference without its prefix; a script's path is told from the suite file's folder."""
        bare, mark, key = reference.removeprefix(EVALUATE).partition("#")
        return f"{self.path.parent / bare}{mark}{key}" if bare.endswith(".py") else f"{bare}{mark}{key}"

    def definition(self, declaration: Declaration) -> dict[str, Any]:
        located = [self.located(name).partition("#")[0] for name in declaration.metrics if name.startswith(EVALUATE)]
        return {
            "declaration": declaration.model_dump(mode="json", exclude={"description", "limit", "num_fewshot"}),
            "scripts": [file_digest(Path(script)) for script in located if script.endswith(".py")],
        }


class _Declared(RowTask):
    """What every kind of declared task takes from its declaration."""

    _declaration: Declaration

    def sample_id(self, index: int, row: Row) -> str:
        column = self._declaration.id
        return cell_text(row, column) if column else str(index)

    def cluster(self, row: Row) -> str | None:
        column = self._declaration.cluster
        return cluster_of(cell_text(row, column)) if column else None


class DeclaredChoice(_Declared, MultipleChoice):
    """A multiple-choice task of a suite file."""

    def __init__(self, declaration: ChoiceDeclaration, context: _Context) -> None:
        self.name = declaration.name
        self._declaration = declaration
        self._gold = declaration.gold
        self._prompt = Template(declaration.prompt)
        listed = declaration.choices if isinstance(declaration.choices, list) else []
        self._choices = [Template(choice) for choice in listed]
        from_templates = [column for choice in self._choices for column in choice.columns]
        self._column = declaration.choices if isinstance(declaration.choices, str) else ""
        self.data = context.data(
            declaration,
            [
                *self._prompt.columns,
                *(from_templates if listed else [self._column]),
                declaration.gold,
                *_optional(declaration),
            ],
        )
        allowed = ["acc", "acc_norm"]
        if listed and not from_templates:
            self.labels = tuple(choice.fill({}) for choice in self._choices)
            allowed += ["macro_f1", "mcc"]
        self.metrics = context.metrics(declaration.metrics or ["acc", "acc_norm"], allowed)
        self.definition = context.definition(declaration)

    def question(self, row: Row) -> str:
        """See `MultipleChoice.question`."""
        return self._prompt.fill(row)

    def choices(self, row: Row) -> Sequence[str]:
        """See `MultipleChoice.choices`."""
        if self._choices:
            return [choice.fill(row) for choice in self._choices]
        listed = row[self._column]
        if not isinstance(listed, list | tuple) or not all(isinstance(choice, str) for choice in listed):
            raise DataError(f"field {self._column!r} is not a list of texts")
        return listed

    def gold(self, row: Row) -> int:
        """See `MultipleChoice.gold`."""
        column, choices = self._gold, self.choices(row)
        index = gold_index(row[column], choices, column)
        if not 0 <= index < len(choices):
            raise DataError(f"field {column!r} is out of range: {index}, with {len(choices)} choices counted from 0")
        return index


class DeclaredRolling(_Declared, RollingPerplexity):
    """A perplexity task of a suite file."""

    def __init__(self, declaration: RollingDeclaration, context: _Context) -> None:
        self.name = declaration.name
        self._declaration = declaration
        self._text = declaration.text
        if declaration.num_fewshot:
            raise TaskError("perplexity takes no exemplars", place=context.place("num_fewshot"), fix="Leave it out")
        self.max_length, self.stride = declaration.max_length, declaration.stride
        if self.stride and self.max_length and self.stride >= self.max_length:
            raise TaskError(
                f"a stride of {self.stride} leaves no context in a window of {self.max_length}",
                place=context.place("stride"),
                fix="Make it smaller than max_length",
            )
        self.data = context.data(declaration, [declaration.text, *_optional(declaration)])
        allowed = [metric.name for metric in RollingPerplexity.metrics]
        self.metrics = context.metrics(declaration.metrics or allowed, allowed)
        self.definition = context.definition(declaration)

    def text(self, row: Row) -> str:
        """See `RollingPerplexity.text`."""
        return cell_text(row, self._text)


class DeclaredGeneration(_Declared, Generation):
    """A generation task of a suite file."""

    def __init__(self, declaration: GenerationDeclaration, context: _Context) -> None:
        self.name = declaration.name
        self._declaration = declaration
        self._prompt = Template(declaration.prompt)
        self._reference = declaration.reference
        self.until, self.max_tokens = tuple(declaration.until), declaration.max_tokens
        self.data = context.data(declaration, [*self._prompt.columns, declaration.reference, *_optional(declaration)])
        self.metrics = context.metrics(declaration.metrics or ["exact_match"], ["exact_match"])
        self.definition = context.definition(declaration)

    def question(self, row: Row) -> str:
        """See `Generation.question`."""
        return self._prompt.fill(row)

    def reference(self, row: Row) -> str:
        """See `Generation.reference`."""
        return cell_text(row, self._reference)


def gold_index(value: Any, choices: Sequence[str], column: str) -> int:
    """Which choice a cell means: a choice's text, an index from 0, or a letter from A, tried in this order.

    A number is always an index. Raises `DataError` naming the column.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        text = value.strip()
        matching = [index for index, choice in enumerate(choices) if choice.strip() == text]
        if len(matching) > 1:
            raise DataError(f"field {column!r}: the gold choice {text!r:.40} occurs twice")
        if matching:
            return matching[0]
        if text.isascii() and text.isdigit() and len(text) < 10:
            return int(text)
        if len(text) == 1 and "A" <= text.upper() <= "Z":
            return ord(text.upper()) - ord("A")
    raise DataError(f"field {column!r} holds {value!r:.40}, which is no index, no letter and none of the choices")


def _optional(declaration: Declaration) -> list[str]:
    return [column for column in (declaration.id, declaration.cluster) if column]
