"""Translation tasks that a user's suite file declares over a parallel file."""

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import override

from harness.core.datasets import Row
from harness.core.errors import TaskError, UnknownName
from harness.core.metrics import Metric
from harness.metrics.texts import CorpusMetric
from harness.suitefiles.declaration import Declaration, Text
from harness.suitefiles.declaring import DeclarationContext, Declared
from harness.suitefiles.task_types import TaskType
from harness.tasks.templates import cell_text
from suites.text_quality.translation import Translation, find_language, translation_metrics

__all__ = ["DeclaredTranslation"]


class TranslationDeclaration(Declaration):
    """`type: translation`. `source` and `target` are columns, the languages ISO 639-1 codes. 3 exemplars by default."""

    type: Literal["translation"]
    source: Text
    target: Text
    source_language: Text
    target_language: Text
    max_tokens: Annotated[int, Field(ge=1, le=100_000)] = 64
    num_beams: Annotated[int, Field(ge=1, le=64)] = 1


class DeclaredTranslation(Declared, Translation):
    """A translation task of a suite file: two columns of a parallel file."""

    _declaration: TranslationDeclaration

    def __init__(self, declaration: TranslationDeclaration, context: DeclarationContext) -> None:
        super().__init__(declaration)
        self.source_language = _language(declaration.source_language, context.place("source_language"))
        self.target_language = _language(declaration.target_language, context.place("target_language"))
        if self.source_language == self.target_language:
            raise TaskError("is the language to translate from, too", place=context.place("target_language"))
        self.languages = (self.source_language, self.target_language)
        self.max_tokens, self.num_beams = declaration.max_tokens, declaration.num_beams
        self.data = context.data(declaration, [declaration.source, declaration.target])
        allowed = {metric.name: metric for metric in translation_metrics(self.target_language)}
        self.metrics = context.metrics(declaration.metrics or list(allowed), allowed)
        for metric in self.metrics:
            _require_tokenizer(metric, self.target_language, context.place("target_language"))
        self.definition = context.definition(declaration)

    @override
    def source(self, row: Row) -> str:
        return cell_text(row, self._declaration.source)

    @override
    def reference(self, row: Row) -> str:
        return cell_text(row, self._declaration.target)


def _language(code: str, place: str) -> str:
    try:
        return find_language(code).code
    except UnknownName as error:
        raise TaskError(f"{code}: {error.problem}", place=place, fix="Give an ISO 639-1 code, such as de") from error


def _require_tokenizer(metric: Metric, language: str, place: str) -> None:
    if not isinstance(metric, CorpusMetric):
        return
    try:
        _ = metric.signature
    except RuntimeError as error:
        # So sacrebleu says that MeCab is missing, which its tokenizers for Japanese and Korean need.
        raise TaskError(
            f"sacrebleu has no tokenizer for {language} installed",
            place=place,
            fix=f"pip install 'sacrebleu[{language}]'",
        ) from error


TRANSLATION = TaskType(declaration=TranslationDeclaration, build=DeclaredTranslation)
