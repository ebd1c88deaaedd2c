"""Written answers of a suite file: `type: written`."""

from typing_extensions import override

from harness.core.datasets import Row
from harness.core.errors import DataError, TaskError
from harness.core.tasks import Sample
from harness.metrics.written import CHANCE
from harness.suitefiles.declaration import LETTERS, WrittenDeclaration, WrittenFields
from harness.suitefiles.declaring import EVALUATE, DeclarationContext, Declared
from harness.suitefiles.task_types import TaskType
from harness.tasks.extraction import (
    Extracted,
    canonical_answer,
    first_of,
    is_number,
    number_by,
    rules_of,
    same_answer,
)
from harness.tasks.templates import Template, cell_text
from harness.tasks.written import Written

__all__ = ["WRITTEN_ANSWER", "DeclaredWritten"]


class DeclaredWritten(Declared, Written):
    """A task of a suite file whose answers are written: found by the rules that the file names, and compared.

    Two answers are the same as numbers, as JSON values, or as texts whatever their case and spacing.
    """

    def __init__(self, declaration: WrittenFields, context: DeclarationContext) -> None:
        super().__init__(declaration)
        self._prompt, self._reference = Template(declaration.prompt), declaration.reference
        self._rules = rules_of(declaration.extract, declaration.letters)
        self.until, self.max_tokens = tuple(declaration.until), declaration.max_tokens
        self.data = context.data(declaration, [*self._prompt.columns, declaration.reference])
        self._chance = _chance_of(declaration)
        allowed = {metric.name: metric for metric in (*Written.metrics, *([CHANCE] if self._chance else []))}
        own = [name for name in declaration.metrics if name.startswith(EVALUATE)]
        if own:
            raise TaskError(
                f"{own[0]} compares whole texts, and a written answer is looked for in its text",
                place=context.place("metrics"),
                fix="Use `type: generate_until` for it",
            )
        self.metrics = context.metrics(declaration.metrics or list(allowed), allowed)
        self.definition = context.definition(declaration)

    @override
    def sample(self, row: Row) -> Sample:
        reference = cell_text(row, self._reference).strip()
        if not reference:
            raise DataError("the reference is empty")
        return Sample(id="", prompt=self._prompt.fill(row), gold=reference)

    @override
    def answer(self, sample: Sample) -> str:
        return str(sample.gold)

    @override
    def extract(self, sample: Sample, text: str) -> Extracted | None:
        if not self._rules:
            whole = text.strip()
            return Extracted(whole, "whole text") if whole else None
        if not is_number(str(sample.gold)):
            return first_of(text, self._rules)
        return number_by(text, self._rules)

    @override
    def is_right(self, sample: Sample, answer: str) -> bool:
        return same_answer(answer, str(sample.gold))

    @override
    def chance(self, sample: Sample) -> float | None:
        return self._chance

    @override
    def ballot(self, sample: Sample, answer: str) -> str:
        return canonical_answer(answer)


def _chance_of(declaration: WrittenFields) -> float | None:
    """One over the letters, where the file says which, or over yes and no; None where neither is looked for."""
    if "letter" in declaration.extract:
        # By default more letters are looked for than most questions have, so that chance would be told too low.
        return None if declaration.letters == LETTERS else 1 / len(set(declaration.letters))
    return 1 / 2 if "yes_no" in declaration.extract else None


WRITTEN_ANSWER = TaskType(declaration=WrittenDeclaration, build=DeclaredWritten)
