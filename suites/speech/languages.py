"""Clean recordings in several languages, for recognisers that are told which is spoken."""

import unicodedata
from collections.abc import Sequence
from dataclasses import replace

from typing_extensions import override

from harness.core.checkpoints import Checkpoint
from harness.core.requests import Request, Response
from harness.core.scores import Score
from harness.core.tasks import Row, Sample, TaskSettings, choose
from suites.speech.clips import Clip, clips_of
from suites.speech.transcription import Announcements
from suites.speech.words import AUDIO_SECONDS, edits, error_rate

__all__ = ["LANGUAGE_CER", "LANGUAGE_WER", "SpokenLanguages", "unmarked"]

_NORM = "Case, punctuation, accents and other marks on letters are left aside"
_ONE_LANGUAGE = "it isn't a recogniser that is told which of many languages is spoken"

LANGUAGE_WER = replace(
    error_rate(
        "language_wer",
        "errors/word",
        f"""
        Word error rate, from 0 up, lower is better, of all languages together or of one `language`: words put in, left
        out or replaced, over the words that are said. {_NORM}.
        """,
        "language",
    ),
    smallest_group=5,
)
LANGUAGE_CER = replace(
    error_rate(
        "language_cer",
        "errors/character",
        f"""
        Character error rate, from 0 up, lower is better, of all languages together or of one `language`; spaces are
        characters, too. {_NORM}.
        """,
        "language",
    ),
    smallest_group=5,
)


class SpokenLanguages(Announcements):
    """The announcements of a telephone exchange in Spanish, French, Italian and Russian.

    What it measures. Word and character error rates of what is written for clips of at least four words, by language;
    the model is told which is spoken. Clips are drawn for each language by the run's seed, as many of each. Letters are
    compared without accents and other marks, as most of the Spanish texts have none.

    Why it matters. A recogniser that serves many people serves some of them worse, and its makers' mean hides whom.

    Limits. One voice a language, in a studio: the difference between two languages is also one between two voices, two
    scripts' care for what was really said, and how a language parts its words; read the characters, too. With eight
    clips a language by default, intervals are wide. A wrong accent is no error here. Defined for recognisers that are
    told the language, as Whisper of many languages is.
    """

    name = "spoken_languages"
    data = "asterisk_languages"
    languages: Sequence[str] = ("es", "fr", "it", "ru")
    default_limit = 32
    metrics = (LANGUAGE_WER, LANGUAGE_CER, AUDIO_SECONDS)

    @override
    def refusal(self, checkpoint: Checkpoint) -> str | None:
        return None if checkpoint.writes_many_languages else _ONE_LANGUAGE

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """Those of one language behind those of another; where the limit can't be divided, the first have one more."""
        codes = list(dict.fromkeys(str(row["language"]) for row in rows))
        whole: dict[str, Clip] = {}
        found = []
        for place, code in enumerate(codes):
            clips = clips_of([row for row in rows if row["language"] == code])
            whole |= {clip.name: clip for clip in clips}
            share = None if settings.limit is None else (settings.limit + len(codes) - 1 - place) // len(codes)
            _, chosen = choose(len(clips), replace(settings, limit=share), salt=f"{self.salt}:{code}")
            for clip in (clips[index] for index in chosen):
                fields = {"clip": clip.name, "language": code}
                found.append(Sample(id=clip.name, prompt="", gold=clip.text, fields=fields))
        self._clips = whole
        return found

    @override
    def requests(self, sample: Sample) -> Sequence[Request]:
        clip = self.clip(sample)
        return [replace(self.asked(clip.samples, clip.rate_hz), language=str(sample.fields["language"]))]

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        (response,) = responses
        groups = {"language": str(sample.fields["language"])}
        if response.text is None:
            reason = response.invalid or "nothing was written"
            return [
                Score(sample_id=sample.id, metric=one.name, value=None, groups=groups, invalid=reason)
                for one in self.metrics
            ]
        found = edits(unmarked(str(sample.gold)), unmarked(response.text))
        counted = (
            (LANGUAGE_WER, found.words, found.word_count),
            (LANGUAGE_CER, found.characters, found.character_count),
        )
        return [
            Score(sample_id=sample.id, metric=AUDIO_SECONDS.name, value=self.clip(sample).seconds),
            *(
                Score(sample_id=sample.id, metric=one.name, value=value, weight=weight, groups=groups)
                for one, value, weight in counted
            ),
        ]


def unmarked(text: str) -> str:
    """A text without accents and other marks on its letters: `contraseña` is `contrasena`."""
    return "".join(sign for sign in unicodedata.normalize("NFD", text) if unicodedata.category(sign) != "Mn")
