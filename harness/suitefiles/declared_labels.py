"""Tasks that a user's suite file declares for classifiers and taggers."""

from collections.abc import Sequence
from typing import Any

from typing_extensions import override

from harness.core.datasets import Row
from harness.core.errors import DataError
from harness.metrics.labels import label_set_metrics, single_metrics
from harness.suitefiles.declaration import ClassifyDeclaration, TagDeclaration
from harness.suitefiles.declaring import DeclarationContext, Declared
from harness.tasks.classification import Classification, LabelledText, MultiLabelClassification, Regression
from harness.tasks.gold import GoldReading, gold_index
from harness.tasks.tagging import Tagging, entity_metrics
from harness.tasks.templates import cell_text

__all__ = ["DeclaredTagging", "declared_classification", "label_of"]


def declared_classification(declaration: ClassifyDeclaration, context: DeclarationContext) -> LabelledText:
    """The task of the declaration's problem. Raises as `declare` does."""
    return _PROBLEMS[declaration.problem](declaration, context)


class _DeclaredText(Declared, LabelledText):
    """What every classification of a suite file takes from its declaration."""

    _declaration: ClassifyDeclaration

    def __init__(self, declaration: ClassifyDeclaration, context: DeclarationContext) -> None:
        super().__init__(declaration)
        context.refuse_exemplars(declaration, "a classifier")
        self.labels = tuple(declaration.labels)
        columns = [declaration.text, declaration.gold, *([declaration.text_pair] if declaration.text_pair else [])]
        self.data = context.data(declaration, columns)
        allowed = {metric.name: metric for metric in self._allowed()}
        self.metrics = context.metrics(declaration.metrics or list(allowed), allowed)
        self.definition = context.definition(declaration)

    def _allowed(self) -> Sequence[Any]:
        return self.metrics

    @override
    def text(self, row: Row) -> str:
        return cell_text(row, self._declaration.text)

    @override
    def text_pair(self, row: Row) -> str | None:
        column = self._declaration.text_pair
        return cell_text(row, column) if column else None


class _SingleLabel(_DeclaredText, Classification):
    """One label a text."""

    @override
    def _allowed(self) -> Sequence[Any]:
        return single_metrics(self.labels)

    @override
    def label(self, row: Row) -> str:
        return label_of(row[self._declaration.gold], self.labels, self._declaration.gold, self._declaration.gold_is)

    @override
    def gold_cells(self, row: Row) -> tuple[Sequence[Any], Sequence[str]]:
        return [row[self._declaration.gold]], self.labels


class _MultiLabel(_DeclaredText, MultiLabelClassification):
    """Several labels a text."""

    @override
    def _allowed(self) -> Sequence[Any]:
        return label_set_metrics(self.labels)

    @override
    def gold_labels(self, row: Row) -> Sequence[str]:
        listed = row[self._declaration.gold]
        if not isinstance(listed, list | tuple):
            raise DataError(f"field {self._declaration.gold!r} is not a list of labels")
        return [label_of(value, self.labels, self._declaration.gold, self._declaration.gold_is) for value in listed]

    @override
    def gold_cells(self, row: Row) -> tuple[Sequence[Any], Sequence[str]]:
        listed = row[self._declaration.gold]
        return listed if isinstance(listed, list | tuple) else (), self.labels


class _Number(_DeclaredText, Regression):
    """A number a text."""

    @override
    def number(self, row: Row) -> float:
        text = cell_text(row, self._declaration.gold)
        try:
            return float(text)
        except ValueError as error:
            raise DataError(f"field {self._declaration.gold!r} holds {text!r:.40}, which is not a number") from error


_PROBLEMS: dict[str, type[_DeclaredText]] = {
    "single_label": _SingleLabel,
    "multi_label": _MultiLabel,
    "regression": _Number,
}


def label_of(value: Any, labels: Sequence[str], gold: str, gold_is: GoldReading | None) -> str:
    """Which label a cell of the column `gold` means, see `gold_index`. Raises `DataError` naming the column."""
    return labels[gold_index(value, labels, gold, gold_is)]


class DeclaredTagging(Declared, Tagging):
    """A tagging task of a suite file."""

    _declaration: TagDeclaration

    def __init__(self, declaration: TagDeclaration, context: DeclarationContext) -> None:
        super().__init__(declaration)
        context.refuse_exemplars(declaration, "a tagger")
        self.types = tuple(declaration.types)
        self.data = context.data(declaration, [declaration.words, declaration.tags])
        allowed = {metric.name: metric for metric in entity_metrics(self.types)}
        self.metrics = context.metrics(declaration.metrics or list(allowed), allowed)
        self.definition = context.definition(declaration)

    @override
    def words(self, row: Row) -> Sequence[str]:
        return _texts(row, self._declaration.words)

    @override
    def tags(self, row: Row) -> Sequence[str]:
        return _texts(row, self._declaration.tags)


def _texts(row: Row, column: str) -> Sequence[str]:
    listed = row[column]
    if not isinstance(listed, list | tuple) or not all(isinstance(text, str) for text in listed):
        raise DataError(f"field {column!r} is not a list of texts")
    return listed
