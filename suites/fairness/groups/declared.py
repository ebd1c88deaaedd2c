"""Decisions about groups of people that a user's suite file declares."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import override

from harness.core.errors import DataError, TaskError
from harness.core.requests import Classify, Loglikelihood
from harness.core.tasks import Row, Sample, TaskSettings
from harness.core.text.hashing import MAX_INTEGER
from harness.suitefiles.declaration import Declaration, Prompt, Text
from harness.suitefiles.declared_labels import label_of
from harness.suitefiles.declaring import DeclarationContext, Declared
from harness.suitefiles.task_types import TaskType
from harness.tasks.gold import GoldReading
from harness.tasks.templates import Template, cell_text
from suites.fairness.groups.task import GroupDecision, group_metrics

__all__ = ["DeclaredGroups"]


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


_BASE_RATE = "base_rate"
"""Where a task's definition holds the share of positive rows, the target of the selection rate."""


class DeclaredGroups(Declared, GroupDecision):
    """A group-fairness task of a suite file."""

    _declaration: GroupFairnessDeclaration

    def __init__(self, declaration: GroupFairnessDeclaration, context: DeclarationContext) -> None:
        super().__init__(declaration)
        self._prompt = Template(declaration.prompt)
        self._context = context
        self.by_classifier = declaration.by == "classifier"
        self.asks = (Classify,) if self.by_classifier else (Loglikelihood,)
        self.supports_fewshot = not self.by_classifier
        if self.by_classifier:
            context.refuse_exemplars(declaration, "a classifier")
        self.labels = tuple(declaration.labels)
        self.positive = _positive(declaration, context)
        self.attributes = tuple(declaration.attributes)
        self.intersections = tuple(tuple(several) for several in declaration.intersections)
        self.smallest_group = declaration.smallest_group
        _check(declaration, context)
        self.data = context.data(declaration, [*self._prompt.columns, declaration.gold, *self.attributes])
        self.definition = context.definition(declaration)
        self._choose_metrics(float(context.recorded.get(_BASE_RATE, 0.5)))

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """The target of the selection rate becomes the share of positive rows."""
        samples = super().samples(rows, settings)
        base_rate = sum(self.label(row) == self.positive for row in rows) / len(rows)
        # With it the metrics can be made again from a record, which holds no data.
        self.definition = {**self.definition, _BASE_RATE: base_rate}
        self._choose_metrics(base_rate)
        return samples

    @override
    def question(self, row: Row) -> str:
        """The prompt, filled."""
        return self._prompt.fill(row)

    @override
    def label(self, row: Row) -> str:
        """The label in the gold column."""
        return label_of(row[self._declaration.gold], self.labels, self._declaration.gold, self._declaration.gold_is)

    @override
    def gold_cells(self, row: Row) -> tuple[Sequence[Any], Sequence[str]]:
        return [row[self._declaration.gold]], self.labels

    @override
    def groups(self, row: Row) -> Mapping[str, str]:
        """The attributes' columns. Raises `DataError` for an empty one."""
        found = {attribute: cell_text(row, attribute).strip() for attribute in self.attributes}
        if empty := [attribute for attribute, value in found.items() if not value]:
            raise DataError(f"field {empty[0]!r} is empty", fix="Write unknown, say, where a group isn't known")
        return found

    def _choose_metrics(self, base_rate: float) -> None:
        every = group_metrics(
            self.attributes,
            self.intersections,
            positive=self.positive,
            base_rate=base_rate,
            smallest_group=self.smallest_group,
        )
        allowed = {metric.name: metric for metric in every}
        self.metrics = self._context.metrics(self._declaration.metrics or list(allowed), allowed)


def _positive(declaration: GroupFairnessDeclaration, context: DeclarationContext) -> str:
    if declaration.positive is None:
        if len(declaration.labels) > 2:
            raise TaskError(
                f"is missing: {len(declaration.labels)} labels are no yes or no, and rates of acceptance need to know "
                "which of them is one",
                place=context.place("positive"),
                fix=f"Name one of {', '.join(declaration.labels)}",
            )
        return declaration.labels[-1]
    if declaration.positive not in declaration.labels:
        raise TaskError(
            f"{declaration.positive!r} is none of the labels",
            place=context.place("positive"),
            fix=f"Name one of {', '.join(declaration.labels)}",
        )
    return declaration.positive


def _check(declaration: GroupFairnessDeclaration, context: DeclarationContext) -> None:
    """Raises `TaskError` for labels or attributes listed twice, and intersections of what isn't an attribute."""
    for field, listed in (("labels", declaration.labels), ("attributes", declaration.attributes)):
        if len({one.strip().casefold() for one in listed}) < len(listed):
            raise TaskError("names one twice", place=context.place(field))
    for index, several in enumerate(declaration.intersections):
        unknown = [one for one in several if one not in declaration.attributes]
        if unknown or len(set(several)) < len(several):
            raise TaskError(
                f"{unknown[0]!r} is none of the attributes" if unknown else "names an attribute twice",
                place=context.place(f"intersections[{index}]"),
            )


GROUP_FAIRNESS = TaskType(declaration=GroupFairnessDeclaration, build=DeclaredGroups)
