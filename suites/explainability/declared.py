"""Explanations beside the reasons that people gave, in a user's own file."""

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from typing_extensions import override

from harness.core.errors import DataError, TaskError
from harness.core.requests import Response
from harness.core.scores import Score
from harness.core.tasks import Row, Sample, TaskSettings
from harness.suitefiles.declaration import ChoiceDeclaration, ClassifyDeclaration, Declaration, Prompt, Text
from harness.suitefiles.declared import DeclaredChoice
from harness.suitefiles.declared_labels import declared_classification
from harness.suitefiles.declaring import DeclarationContext
from harness.suitefiles.task_types import TaskType
from harness.tasks.choices import MultipleChoice
from harness.tasks.classification import Classification
from harness.tasks.gold import GoldReading
from harness.tasks.templates import Template, cell_text
from suites.explainability.metrics import ATTRIBUTION_METRICS
from suites.explainability.plausibility import DECISION_IS_GOLD, PLAUSIBILITY_METRICS, Span, marked_units, plausibility
from suites.explainability.wrapper import AttributionTask

__all__ = ["DeclaredRationales"]

_HERE = "\0"
_UNREAD = "the model doesn't read the part of the text that people marked"


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


class DeclaredRationales(AttributionTask):
    """A decision on a text in which people marked why; explanations are held against the marks, and tried as ever."""

    inner: MultipleChoice | Classification

    def __init__(
        self, declaration: RationalesDeclaration, inner: MultipleChoice | Classification, context: DeclarationContext
    ) -> None:
        super().__init__(inner, max_units=declaration.max_units)
        self.name = declaration.name
        self._declaration = declaration
        self._prompt = Template(declaration.prompt or f"{{{declaration.text}}}")
        if declaration.text not in self._prompt.columns:
            raise TaskError(f"doesn't show the text: it lacks {{{declaration.text}}}", place=context.place("prompt"))
        columns = [*self._prompt.columns, declaration.gold, declaration.rationale]
        self.data = context.data(declaration, columns)
        allowed = {metric.name: metric for metric in (*PLAUSIBILITY_METRICS, *ATTRIBUTION_METRICS)}
        self.metrics = context.metrics(declaration.metrics or list(allowed), allowed)
        self.definition = MappingProxyType({**context.definition(declaration), "methods": list(self.methods)})

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """Every row's marks are checked, asked or not. Raises `DataError`."""
        marks, shares = [], []
        for index, row in enumerate(rows):
            text = cell_text(row, self._declaration.text)
            try:
                marks.append(_spans(row[self._declaration.rationale], text))
            except DataError as error:
                place = f"{self._declaration.data}, row {index + 1}, field {self._declaration.rationale!r}"
                raise DataError(error.problem, place=place, fix=error.fix) from error
            shares.append(_share(text, marks[-1]))
        of_id = {self.inner.sample_id(index, row): index for index, row in enumerate(rows)}
        found = []
        for sample in super().samples(rows, settings):
            index = of_id[sample.id]
            row = rows[index]
            before = self._prompt.fill({**row, self._declaration.text: _HERE}).index(_HERE)
            start = sample.question_start + before
            own = {
                "span": (start, start + len(cell_text(row, self._declaration.text))),
                "marked": marks[index],
                "share": fmean(shares),
            }
            found.append(replace(sample, fields={**sample.fields, **own}))
        return found

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        scores = list(super().score(sample, responses))
        attribution = responses[0].attribution
        if attribution is not None:
            blank = Score(sample_id=sample.id, metric="", cluster=sample.cluster, tie=attribution.tie)
            right = self._decided(attribution.decision, attribution.target) == sample.gold
            scores.append(replace(blank, metric=DECISION_IS_GOLD.name, value=float(right)))
            marked = marked_units(attribution.units, sample.fields["marked"])
            if marked.any():
                found = plausibility(attribution, marked, sample.fields["share"], sample.fields["seed"])
                scores += [
                    replace(blank, metric=metric.name, value=value, groups={"method": method})
                    for metric, method, value in found
                ]
            else:
                scores += [
                    replace(blank, metric=metric.name, groups=dict(metric.main_group), invalid=_UNREAD)
                    for metric in PLAUSIBILITY_METRICS
                    if metric is not DECISION_IS_GOLD
                ]
        wanted = {metric.name for metric in self.metrics}
        return [score for score in scores if score.metric in wanted]

    def _decided(self, index: int, target: str) -> int | str:
        """The decision as the inner task's gold has it."""
        return self.inner.known(target) if isinstance(self.inner, Classification) else index


def _spans(listed: Any, text: str) -> tuple[Span, ...]:
    """The marked parts of a text: each as [start, end], or as words that stand in it once. Raises `DataError`."""
    if not isinstance(listed, list | tuple) or not listed:
        raise DataError("is not a list of marked parts", fix="Leave out rows in which nothing is marked")
    found = [_span(one, text) for one in listed]
    if not any(text[start:end].strip() for start, end in found):
        raise DataError("marks only white space")
    return tuple(found)


def _span(one: Any, text: str) -> Span:
    if isinstance(one, str) and one:
        if text.count(one) != 1:
            often = "not at all" if one not in text else f"{text.count(one)} times"
            raise DataError(f"{one!r:.60} stands in the text {often}", fix="Give where it is, as [start, end]")
        start = text.index(one)
        return start, start + len(one)
    if (
        isinstance(one, list | tuple)
        and len(one) == 2
        and all(isinstance(place, int) and not isinstance(place, bool) for place in one)
        and 0 <= one[0] < one[1] <= len(text)
    ):
        return int(one[0]), int(one[1])
    raise DataError(
        f"{one!r:.60} is no part of a text of {len(text)} characters",
        fix="Give [start, end], in characters from 0, the end not in it, or the words themselves",
    )


def _share(text: str, spans: Sequence[Span]) -> float:
    """Of the characters that are no white space, how many are marked."""
    marked = marked_units([*text], spans)
    return float(marked.sum()) / sum(not sign.isspace() for sign in text)


def declared_rationales(declaration: RationalesDeclaration, context: DeclarationContext) -> DeclaredRationales:
    """The task of the declaration. Raises as `TaskType.build` does."""
    return DeclaredRationales(declaration, _decision(declaration, context), context)


def _decision(declaration: RationalesDeclaration, context: DeclarationContext) -> MultipleChoice | Classification:
    """The decision that is explained, as a task of its own."""
    shared = {name: getattr(declaration, name) for name in ("name", "data", "id", "cluster", "gold", "gold_is")}
    if declaration.by == "classifier":
        labelled = ClassifyDeclaration(**shared, type="classify", text=declaration.text, labels=declaration.labels)
        task = declared_classification(labelled, context)
        assert isinstance(task, Classification)
        return task
    assert declaration.prompt is not None
    choice = ChoiceDeclaration(
        **shared, type="multiple_choice", prompt=declaration.prompt, choices=list(declaration.labels)
    )
    return DeclaredChoice(choice, context)


RATIONALES = TaskType(declaration=RationalesDeclaration, build=declared_rationales)
