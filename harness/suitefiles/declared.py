"""Tasks that a user's suite file declares, and the file itself."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from typing_extensions import override

from harness.core.datasets import Row
from harness.core.errors import DataError, TaskError
from harness.core.metrics import Metric
from harness.core.tasks import Task
from harness.core.text.yamlfile import read_yaml
from harness.metrics.standard import ACC, ACC_NORM, EXACT_MATCH, GOLD_BITS_PER_BYTE, MACRO_F1, MCC
from harness.metrics.texts import TokenF1, summary_metrics
from harness.suitefiles.declaration import (
    ChoiceDeclaration,
    ChoiceFields,
    ClassifyDeclaration,
    Declaration,
    GenerationDeclaration,
    RollingDeclaration,
    TagDeclaration,
)
from harness.suitefiles.declared_labels import DeclaredTagging, declared_classification
from harness.suitefiles.declaring import DeclarationContext, Declared, WithoutData
from harness.suitefiles.schema import SuiteFile, parse_suite_file
from harness.suitefiles.task_types import TaskType, task_type
from harness.tasks.choices import MultipleChoice
from harness.tasks.generation import Generation
from harness.tasks.gold import gold_index
from harness.tasks.options import TaskOptions
from harness.tasks.rolling import RollingPerplexity
from harness.tasks.templates import Template, cell_text

__all__ = ["DeclaredChoice", "DeclaredGeneration", "DeclaredRolling", "declare", "read_suite_file", "redeclare"]


_ANSWERS: Sequence[Metric] = (EXACT_MATCH, TokenF1(), *summary_metrics())
"""The metrics of a written answer."""


def read_suite_file(path: Path) -> SuiteFile:
    """What a suite file says, checked. Raises `TaskError` naming the file, and the line or field."""
    return parse_suite_file(read_yaml(path), path)


def declare(declaration: Declaration, path: Path, where: str, options: TaskOptions) -> Task:
    """The task that the field `where` of the suite file `path` declares.

    Raises `TaskError` for settings that contradict each other, or metrics that the kind of task doesn't have;
    `DataError` where the data file isn't there.
    """
    return _task(declaration, DeclarationContext(path=path, where=where, options=options))


def redeclare(definition: Mapping[str, Any]) -> Task:
    """The task whose `definition` a record holds, for what its metrics say: without data of its own.

    Raises `HarnessError` where it can't be made without the user's files or consent.
    """
    place = Path("the record")
    (declaration,) = parse_suite_file({"name": "recorded", "tasks": [definition["declaration"]]}, place).tasks
    assert isinstance(declaration, Declaration)
    options = TaskOptions(offline=True)
    return _task(declaration, WithoutData(path=place, where="definition", options=options, recorded=definition))


def _task(declaration: Declaration, context: DeclarationContext) -> Task:
    return task_type(declaration.type).build(declaration, context)


class DeclaredChoice(Declared, MultipleChoice):
    """A multiple-choice task of a suite file, with metrics of those `offered`."""

    offered: ClassVar[Sequence[Metric]] = (ACC, ACC_NORM, GOLD_BITS_PER_BYTE)

    def __init__(self, declaration: ChoiceFields, context: DeclarationContext) -> None:
        super().__init__(declaration)
        self._gold, self._gold_is = declaration.gold, declaration.gold_is
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
            ],
        )
        allowed: dict[str, Metric] = {metric.name: metric for metric in self.offered}
        usual = list(allowed)
        if listed and not from_templates:
            self.labels = tuple(choice.fill({}) for choice in self._choices)
            allowed |= {metric.name: metric for metric in (MACRO_F1, MCC)}
        self.metrics = context.metrics(declaration.metrics or usual, allowed)
        self.definition = context.definition(declaration)

    @override
    def question(self, row: Row) -> str:
        return self._prompt.fill(row)

    @override
    def choices(self, row: Row) -> Sequence[str]:
        if self._choices:
            return [choice.fill(row) for choice in self._choices]
        listed = row[self._column]
        if not isinstance(listed, list | tuple) or not all(isinstance(choice, str) for choice in listed):
            raise DataError(f"field {self._column!r} is not a list of texts")
        return listed

    @override
    def gold(self, row: Row) -> int:
        return gold_index(row[self._gold], self.choices(row), self._gold, self._gold_is)

    @override
    def gold_cells(self, row: Row) -> tuple[Sequence[Any], Sequence[str]]:
        return [row[self._gold]], self.choices(row)


class DeclaredRolling(Declared, RollingPerplexity):
    """A perplexity task of a suite file."""

    def __init__(self, declaration: RollingDeclaration, context: DeclarationContext) -> None:
        super().__init__(declaration)
        self._text = declaration.text
        context.refuse_exemplars(declaration, "a perplexity task")
        self.max_length, self.stride = declaration.max_length, declaration.stride
        if self.stride and self.max_length and self.stride >= self.max_length:
            raise TaskError(
                f"a stride of {self.stride} leaves no context in a window of {self.max_length}",
                place=context.place("stride"),
                fix="Make it smaller than max_length",
            )
        self.data = context.data(declaration, [declaration.text])
        allowed = {metric.name: metric for metric in RollingPerplexity.metrics}
        self.metrics = context.metrics(declaration.metrics or list(allowed), allowed)
        self.definition = context.definition(declaration)

    @override
    def text(self, row: Row) -> str:
        return cell_text(row, self._text)


class DeclaredGeneration(Declared, Generation):
    """A generation task of a suite file."""

    def __init__(self, declaration: GenerationDeclaration, context: DeclarationContext) -> None:
        super().__init__(declaration)
        self._prompt = Template(declaration.prompt)
        self._reference = declaration.reference
        self.until, self.max_tokens = tuple(declaration.until), declaration.max_tokens
        self.num_beams = declaration.num_beams
        self.data = context.data(declaration, [*self._prompt.columns, declaration.reference])
        self.metrics = context.metrics(
            declaration.metrics or ["exact_match"], {metric.name: metric for metric in _ANSWERS}
        )
        self.definition = context.definition(declaration)

    @override
    def question(self, row: Row) -> str:
        return self._prompt.fill(row)

    @override
    def reference(self, row: Row) -> str:
        return cell_text(row, self._reference)


MULTIPLE_CHOICE = TaskType(declaration=ChoiceDeclaration, build=DeclaredChoice)
LOGLIKELIHOOD_ROLLING = TaskType(declaration=RollingDeclaration, build=DeclaredRolling)
GENERATE_UNTIL = TaskType(declaration=GenerationDeclaration, build=DeclaredGeneration)
CLASSIFY = TaskType(declaration=ClassifyDeclaration, build=declared_classification)
TAG = TaskType(declaration=TagDeclaration, build=DeclaredTagging)
