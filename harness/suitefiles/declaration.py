"""What a task that a suite file declares may say of itself."""

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
    field_validator,
    model_validator,
)

from harness.core.text.hashing import MAX_INTEGER
from harness.tasks.extraction import RuleName
from harness.tasks.gold import GoldReading
from harness.tasks.templates import Template

__all__ = [
    "LETTERS",
    "ChoiceDeclaration",
    "ChoiceFields",
    "ClassifyDeclaration",
    "Declaration",
    "Exemplars",
    "GenerationDeclaration",
    "Limit",
    "Name",
    "Prompt",
    "RollingDeclaration",
    "StrictModel",
    "TagDeclaration",
    "Text",
    "WrittenDeclaration",
    "WrittenFields",
]

LETTERS = "ABCDEFGHIJ"
"""Those that are looked for where a file doesn't say which."""


def _limit(value: Any) -> Any:
    if value in (None, "all") or (isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_INTEGER):
        return value
    raise ValueError("must be a whole number from 1 up, or all")


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


Limit = Annotated[int | Literal["all"] | None, PlainValidator(_limit)]
Exemplars = Annotated[int, Field(ge=0, le=MAX_INTEGER)] | None
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=64)]
Text = Annotated[str, StringConstraints(min_length=1)]
Prompt = Annotated[Text, BeforeValidator(_template)]


class StrictModel(BaseModel):
    """Holds what a file says, as it says it: no other keys, no conversions."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Declaration(StrictModel):
    """What every kind of declared task has."""

    name: Name
    type: str
    description: str = ""
    data: Text
    id: Text | None = None
    cluster: Text | None = None
    limit: Limit = None
    num_fewshot: Exemplars = None
    metrics: list[Text] = Field(default_factory=list)


class ChoiceFields(Declaration):
    """A question with choices: templates, or the column that holds a list of texts."""

    prompt: Prompt
    choices: Annotated[list[str] | str, PlainValidator(_choices)]
    gold: Text
    gold_is: GoldReading | None = None


class ChoiceDeclaration(ChoiceFields):
    """`type: multiple_choice`."""

    type: Literal["multiple_choice"]


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


class WrittenFields(Declaration):
    """A question whose answer is written.

    The rules of `extract` are tried in order; without any, the whole text is the answer.
    """

    prompt: Prompt
    reference: Text
    extract: list[RuleName] = Field(default_factory=list)
    letters: Annotated[str, StringConstraints(pattern=r"^[A-Z]+$")] = LETTERS
    until: list[Text] = Field(default_factory=list)
    max_tokens: Annotated[int, Field(ge=1, le=100_000)] = 256


class WrittenDeclaration(WrittenFields):
    """`type: written`."""

    type: Literal["written"]


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
