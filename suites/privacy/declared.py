"""Privacy tasks of a suite file: memorisation, membership and canaries in the user's own files."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import override

from harness import data
from harness.core.datasets import DataSet
from harness.core.errors import DataError, TaskError
from harness.core.requests import Loglikelihood, Request, Response, TokenLoglikelihoods
from harness.core.scores import Score
from harness.core.tasks import Row, Sample, Task, TaskSettings, choose
from harness.suitefiles.declaration import Declaration, Text
from harness.suitefiles.declaring import DeclarationContext
from harness.suitefiles.task_types import TaskType
from harness.tasks.choices import unanswered
from harness.tasks.templates import cell_text
from suites.privacy.canaries import EXPOSURE, candidates, exposure
from suites.privacy.membership import MEMBER, MEMBERSHIP_METRICS, NON_MEMBER, membership_scores
from suites.privacy.memorisation import Memorisation

__all__ = ["DeclaredCanaries", "DeclaredMembership", "DeclaredMemorisation"]


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


def _definition(declaration: Declaration, context: DeclarationContext) -> Mapping[str, Any]:
    """What decides the scores. Raises `TaskError` for exemplars or metrics, which these tasks don't take."""
    if declaration.num_fewshot:
        raise TaskError("takes no exemplars", place=context.place("num_fewshot"), fix="Leave it out")
    if declaration.metrics:
        raise TaskError("has metrics of its own alone", place=context.place("metrics"), fix="Leave them out")
    return context.definition(declaration)


class DeclaredMemorisation(Memorisation):
    """How much of the user's documents the model reproduces word for word; see `Memorisation`."""

    def __init__(self, declaration: MemorisationDeclaration, context: DeclarationContext) -> None:
        self.name, self._column = declaration.name, declaration.text
        self.data = context.data(declaration, [declaration.text])
        self.definition = _definition(declaration, context)

    @override
    def document(self, row: Row) -> str:
        return cell_text(row, self._column)


class DeclaredMembership(Task):
    """Whether texts that the model was trained on can be told from others: Min-K%++, Min-K% and the loss.

    Members and non-members must come from one source and one time: an attack that tells news of 2020 from news of 2025
    tells dates, not training (Duan et al., 2024). Of a text its first 512 tokens are read.
    """

    asks = (TokenLoglikelihoods,)
    supports_fewshot = False
    metrics = MEMBERSHIP_METRICS
    default_limit = 500

    def __init__(self, declaration: MembershipDeclaration, context: DeclarationContext) -> None:
        self.name, self._column = declaration.name, declaration.text
        self.data = context.data(declaration, [declaration.text])
        others = context.data(declaration.model_copy(update={"data": declaration.non_members}), [declaration.text])
        self._others = data.load_data(
            data.find(others) if isinstance(others, str) else others, offline=context.options.offline
        )
        self._place = others.title if isinstance(others, DataSet) else others
        self.definition: Mapping[str, Any] = MappingProxyType(
            {**_definition(declaration, context), "non_members": self._others.sha256}
        )

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """Members and non-members, up to the limit of each. Raises `DataError` for a text that stands in both files."""
        kept = {
            MEMBER: self._chosen(rows, settings, MEMBER),
            NON_MEMBER: self._chosen(self._others.rows, settings, NON_MEMBER),
        }
        members = {text for _, text in kept[MEMBER]}
        for index, text in kept[NON_MEMBER]:
            if text in members:
                raise DataError(
                    "the text stands among the members too",
                    place=f"{self._place}, row {index + 1}",
                    fix="Leave it out of one file",
                )
        return [
            Sample(id=f"{kind}-{index}", prompt=text, gold=kind)
            for kind, texts in kept.items()
            for index, text in texts
        ]

    @override
    def requests(self, sample: Sample) -> Sequence[Request]:
        """The likelihood of each token."""
        return [TokenLoglikelihoods(text=sample.prompt)]

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """What each attack says of the text."""
        return membership_scores(sample, responses[0])

    def _chosen(self, rows: Sequence[Row], settings: TaskSettings, kind: str) -> list[tuple[int, str]]:
        if not rows:
            raise DataError(f"there is no {kind}", place=self.name)
        _, chosen = choose(len(rows), settings, salt=f"{self.name}:{kind}")
        texts = []
        for index in chosen:
            text = cell_text(rows[index], self._column)
            if not text.strip():
                raise DataError("the text is empty", place=f"{self.name}, {kind}s, row {index + 1}")
            texts.append((index, text))
        return texts


class DeclaredCanaries(Task):
    """How exposed planted secrets are, by the rank of their likelihood among made-up ones (Carlini et al., 2019)."""

    asks = (Loglikelihood,)
    supports_fewshot = False
    metrics = (EXPOSURE,)

    def __init__(self, declaration: CanaryDeclaration, context: DeclarationContext) -> None:
        self.name, self._declaration = declaration.name, declaration
        self.data = context.data(declaration, [declaration.canary, declaration.secret])
        self.definition = _definition(declaration, context)

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """One sample a canary; its choices are the secret and the candidates.

        Raises `DataError` where a secret doesn't stand in its canary, or has no character of the alphabet.
        """
        _, chosen = choose(len(rows), settings, salt=self.name)
        return [self._sample(index, rows[index], settings.seed) for index in chosen]

    @override
    def requests(self, sample: Sample) -> Sequence[Request]:
        """The likelihood of the secret and of each candidate, with what follows it, after what precedes it."""
        end = sample.fields["end"]
        return [Loglikelihood(context=sample.prompt, continuation=f"{choice}{end}") for choice in sample.choices]

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """The exposure of the secret."""
        blank = Score(sample_id=sample.id, metric=EXPOSURE.name)
        found = [response.loglikelihood for response in responses if response.loglikelihood is not None]
        if reason := unanswered(responses):
            return [replace(blank, invalid=reason)]
        return [replace(blank, value=exposure(found[0], found[1:]))]

    def _sample(self, index: int, row: Row, seed: int) -> Sample:
        declared = self._declaration
        canary, secret = cell_text(row, declared.canary), cell_text(row, declared.secret)
        place = f"{self.name}, row {index + 1}"
        if not secret or canary.count(secret) != 1:
            raise DataError(
                f"the secret stands {canary.count(secret) if secret else 0} times in its canary, not once", place=place
            )
        if not any(letter in declared.alphabet for letter in secret):
            raise DataError(
                f"the secret has no character of the alphabet {declared.alphabet!r}", place=place, fix="Set `alphabet`"
            )
        before, _, end = canary.partition(secret)
        others = candidates(secret, declared.alphabet, declared.candidates, Random(f"{seed}:{self.name}:{index}"))
        return Sample(id=str(index), prompt=before, choices=(secret, *others), gold=0, fields={"end": end})


MEMORISATION = TaskType(declaration=MemorisationDeclaration, build=DeclaredMemorisation)
MEMBERSHIP = TaskType(declaration=MembershipDeclaration, build=DeclaredMembership)
CANARIES = TaskType(declaration=CanaryDeclaration, build=DeclaredCanaries)
