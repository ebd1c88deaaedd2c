"""A user's own recordings, which a suite file declares."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field
from typing_extensions import override

from harness.core.datasets import Row
from harness.core.errors import DataError, TaskError
from harness.core.media import AUDIO, OBJECT
from harness.core.metrics import Metric
from harness.core.requests import AudioGenerateUntil, MultimodalGenerateUntil, Request, Response, Transcribe, with_media
from harness.core.scores import Score
from harness.core.tasks import Sample, TaskSettings
from harness.core.text.hashing import MAX_INTEGER
from harness.media.sounds import extent_of, seconds_of, silence, sound
from harness.suitefiles.declaration import ChoiceFields, Declaration, Text, WrittenFields
from harness.suitefiles.declared import DeclaredChoice
from harness.suitefiles.declared_written import DeclaredWritten
from harness.suitefiles.declaring import EVALUATE, DeclarationContext, Declared
from harness.suitefiles.media import PATH, with_files
from harness.suitefiles.task_types import TaskType
from harness.tasks.templates import cell_text
from suites.speech.gaps import gap_metrics
from suites.speech.listening import Listening, heard_metrics
from suites.speech.transcription import SAVED, SILENCE_S, transcribed
from suites.speech.words import AUDIO_SECONDS, CER, NATS_PER_WORD, WER, normalised

__all__ = ["AUDIO_CHOICE", "AUDIO_WRITTEN", "TRANSCRIPTION"]


class TranscriptionDeclaration(Declaration):
    """`type: transcription`. `audio` is the column with the name of a sound's file, `text` that with what is said.

    `language` is a code such as `en`, for recognisers that are told. `attributes` are columns that say whose voice it
    is: errors are told by each, and compared.
    """

    type: Literal["transcription"]
    audio: Text
    text: Text
    language: Text | None = None
    attributes: list[Text] = Field(default_factory=list)
    smallest_group: Annotated[int, Field(ge=2, le=MAX_INTEGER)] = 5
    max_tokens: Annotated[int, Field(ge=1, le=100_000)] = 200


class AudioChoiceDeclaration(ChoiceFields):
    """`type: audio_choice`. `audio` is as in `transcription`; the sound stands before the prompt."""

    type: Literal["audio_choice"]
    audio: Text


class AudioWrittenDeclaration(WrittenFields):
    """`type: audio_written`. `audio` is as in `audio_choice`."""

    type: Literal["audio_written"]
    audio: Text


class DeclaredTranscription(Declared):
    """Recordings of a suite file, written down and held against what is said in them."""

    asks: Sequence[type[Request]] = (Transcribe,)
    supports_fewshot = False

    def __init__(self, declaration: TranscriptionDeclaration, context: DeclarationContext) -> None:
        super().__init__(declaration)
        context.refuse_exemplars(declaration, "a recording")
        self._said = declaration
        self.attributes = tuple(declaration.attributes)
        if len(set(self.attributes)) < len(self.attributes):
            raise TaskError("names a column twice", place=context.place("attributes"))
        self.data = context.data(declaration, [declaration.audio, declaration.text, *self.attributes])
        rates = [replace(one, by=self.attributes, smallest_group=declaration.smallest_group) for one in (WER, CER)]
        if own := [name for name in declaration.metrics if name.startswith(EVALUATE)]:
            raise TaskError(
                f"{own[0]} isn't computed for recordings", place=context.place("metrics"), fix="Leave it out"
            )
        gaps = gap_metrics(self.attributes, declaration.smallest_group)
        allowed = {one.name: one for one in (*rates, NATS_PER_WORD, SAVED, *gaps, AUDIO_SECONDS)}
        self.metrics = context.metrics(declaration.metrics or list(allowed), allowed)
        self.definition = context.definition(declaration)

    @override
    def sample(self, row: Row) -> Sample:
        said = cell_text(row, self._said.text).strip()
        if not normalised(said):
            raise DataError(f"field {self._said.text!r} holds no word that could be said")
        groups = {attribute: cell_text(row, attribute).strip() for attribute in self.attributes}
        if empty := [attribute for attribute, value in groups.items() if not value]:
            raise DataError(f"field {empty[0]!r} is empty", fix="Write unknown, say, where a group isn't known")
        return Sample(id="", prompt="", gold=said, fields={PATH: cell_text(row, self._said.audio), "groups": groups})

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """With their sounds. Raises `DataError` naming the first that can't be used."""
        return [
            replace(sample, fields={"sound": medium, "groups": sample.fields["groups"]})
            for sample, medium in with_files(super().samples(rows, settings), self.data, AUDIO)
        ]

    @override
    def requests(self, sample: Sample) -> Sequence[Request]:
        """What is said in the sound, then in a second of silence."""
        _, rate_hz = extent_of(sample.fields["sound"])
        nothing = sound(np.zeros(int(SILENCE_S * rate_hz), dtype=np.float32), rate_hz)
        asked = Transcribe(
            audio=sample.fields["sound"],
            language=self._said.language,
            reference=str(sample.gold),
            max_tokens=self._said.max_tokens,
        )
        return [asked, replace(asked, audio=nothing, reference=None)]

    @override
    def variant(self, sample: Sample, position: int) -> str:
        return ("", "silence in its place")[position]

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """As for announcements, with the groups of the speaker; gaps are made of the word errors."""
        heard, deaf = responses
        groups: Mapping[str, str] = sample.fields["groups"]
        found = transcribed(sample, heard, deaf, seconds_of(sample.fields["sound"]) + SILENCE_S)
        by_name = {one.metric: one for one in found}
        errors = by_name[WER.name]
        return [
            replace(by_name.get(metric.name, errors), metric=metric.name, groups=groups, cluster=sample.cluster)
            for metric in self.metrics
            if metric.name in by_name or metric.name.startswith("wer_")
        ]


class DeclaredAudioChoice(Listening, DeclaredChoice):
    """A multiple-choice task of a suite file about sounds; each question is asked with as long a silence, too."""

    offered: ClassVar[Sequence[Metric]] = heard_metrics()

    def __init__(self, declaration: AudioChoiceDeclaration, context: DeclarationContext) -> None:
        super().__init__(declaration, context)
        self._audio = declaration.audio
        context.refuse_exemplars(declaration, "a question about a sound")

    @override
    def sample(self, row: Row) -> Sample:
        return _with_path(super().sample(row), cell_text(row, self._audio))

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """With their sounds. Raises `DataError` naming the first that can't be used."""
        return [
            replace(sample, fields={"sound": medium, "silence": silence(medium), "groups": {}})
            for sample, medium in with_files(super().samples(rows, settings), self.data, AUDIO)
        ]


class DeclaredAudioWritten(DeclaredWritten):
    """A task of a suite file about sounds whose answers are written."""

    asks: Sequence[type[Request]] = (AudioGenerateUntil,)
    supports_fewshot = False

    def __init__(self, declaration: AudioWrittenDeclaration, context: DeclarationContext) -> None:
        super().__init__(declaration, context)
        self._audio = declaration.audio
        context.refuse_exemplars(declaration, "a question about a sound")

    @override
    def sample(self, row: Row) -> Sample:
        return _with_path(super().sample(row), cell_text(row, self._audio))

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """With their sounds. Raises `DataError` naming the first that can't be used."""
        return [
            replace(sample, fields={"sound": medium})
            for sample, medium in with_files(super().samples(rows, settings), self.data, AUDIO)
        ]

    @override
    def requests(self, sample: Sample) -> Sequence[MultimodalGenerateUntil]:
        """One for each draw, with the sound."""
        return [with_media(one, [sample.fields["sound"]]) for one in super().requests(sample)]


def _with_path(sample: Sample, path: str) -> Sample:
    return replace(sample, prompt=f"{OBJECT}\n{sample.prompt}", fields={PATH: path})


TRANSCRIPTION = TaskType(declaration=TranscriptionDeclaration, build=DeclaredTranscription)
AUDIO_CHOICE = TaskType(declaration=AudioChoiceDeclaration, build=DeclaredAudioChoice)
AUDIO_WRITTEN = TaskType(declaration=AudioWrittenDeclaration, build=DeclaredAudioWritten)
