"""Clean recordings: are their words written down?"""

from collections.abc import Mapping, Sequence

import numpy as np
from typing_extensions import override

from harness.core.metrics import PerUnit
from harness.core.requests import Request, Response, Transcribe
from harness.core.scores import Score
from harness.core.tasks import Row, Sample, Task, TaskSettings, choose
from harness.media.sounds import Samples, sound
from suites.speech.clips import Clip, clips_of
from suites.speech.words import AUDIO_SECONDS, CER, NATS_PER_WORD, WER, edits

__all__ = ["MAX_TOKENS", "SAVED", "SILENCE_S", "Announcements", "SpokenAnnouncements", "transcribed"]

MAX_TOKENS = 96
"""For at most 15 seconds, in which nobody says more than 60 words."""
SILENCE_S = 1.0
"""Of the control."""

SAVED = PerUnit(
    name="errors_saved_by_hearing",
    unit="errors/word",
    direction="higher",
    transform="plain",
    source="paired difference of the word errors with silence in place of the sound and with the sound",
    meaning="""
    By how many errors a word the sound itself lowers the word error rate: that of silence in its place, less the real
    one; higher is better, and about 1 for a model that hears well. At 0 the model doesn't listen, whatever it writes.
    """,
)


class Announcements(Task):
    """Clips of one data set, drawn by the run's seed; a subclass says what is asked about each.

    The sounds of a run are kept by clip, as those of the other clips may be needed for one.
    """

    data = "asterisk_en"
    language = "en"
    supports_fewshot = False
    asks: Sequence[type[Request]] = (Transcribe,)

    def __init__(self) -> None:
        self._clips: Mapping[str, Clip] = {}
        self._seed = 0

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        clips = clips_of(rows)
        self._clips = {clip.name: clip for clip in clips}
        self._seed = settings.seed
        _, chosen = choose(len(clips), settings, salt=self.salt)
        return [
            Sample(id=self.sample_id(clip), prompt="", gold=clip.text, fields={"clip": clip.name})
            for clip in (clips[index] for index in chosen)
        ]

    @property
    def salt(self) -> str:
        """What decides, beside the seed, which clips are drawn: the same for all tasks, which so share clips."""
        return str(self.data)

    def sample_id(self, clip: Clip) -> str:
        """By its name in the data set."""
        return clip.name

    def clip(self, sample: Sample) -> Clip:
        """The clip of a sample."""
        return self._clips[sample.fields["clip"]]

    def asked(self, samples: Samples, rate_hz: int, *, reference: str | None = None) -> Transcribe:
        """The question what is said in a sound."""
        return Transcribe(
            audio=sound(samples, rate_hz), language=self.language, reference=reference, max_tokens=MAX_TOKENS
        )


class SpokenAnnouncements(Announcements):
    """The announcements of a telephone exchange, as they were recorded.

    What it measures. Word and character error rates of what is written for clips of at least four words, by jiwer, with
    the error of a ratio over clips. Beside each clip stands a control with silence in the place of the sound: its
    errors, less the real ones, say how much the model hears.

    Why it matters. Every later figure of this suite is read against this one.

    Limits. One woman's voice, trained and recorded in a studio at 8 kHz, in English: far easier than most speech. No
    evidence about other voices, accents or languages. The recordings are public, so a model may have been trained on
    them. The texts are the script: a word or two of a hundred isn't what is said. Figures aren't asked about, so
    nothing hangs on whether `4` or `four` is written.
    """

    name = "spoken_announcements"
    default_limit = 48
    metrics = (WER, CER, NATS_PER_WORD, SAVED, AUDIO_SECONDS)

    @override
    def requests(self, sample: Sample) -> Sequence[Request]:
        clip = self.clip(sample)
        silence = np.zeros(int(SILENCE_S * clip.rate_hz), dtype=np.float32)
        return [self.asked(clip.samples, clip.rate_hz, reference=clip.text), self.asked(silence, clip.rate_hz)]

    @override
    def variant(self, sample: Sample, position: int) -> str:
        return ("", "silence in its place")[position]

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        heard, deaf = responses
        return transcribed(sample, heard, deaf, self.clip(sample).seconds + SILENCE_S)


def transcribed(sample: Sample, heard: Response, deaf: Response, seconds: float) -> Sequence[Score]:
    """What is scored of what was written for a sound in which the sample's gold is said, and for silence in its place.

    All are invalid where nothing was written; a likelihood is scored where there is one.
    """
    said = str(sample.gold)
    if heard.invalid is not None or heard.text is None:
        reason = heard.invalid or "nothing was written"
        return [
            Score(sample_id=sample.id, metric=one.name, value=None, invalid=reason)
            for one in SpokenAnnouncements.metrics
        ]
    found = edits(said, heard.text)
    scores = [
        Score(sample_id=sample.id, metric=AUDIO_SECONDS.name, value=seconds),
        Score(sample_id=sample.id, metric=WER.name, value=found.words, weight=found.word_count),
        Score(sample_id=sample.id, metric=CER.name, value=found.characters, weight=found.character_count),
    ]
    if heard.loglikelihood is not None:
        nats = -heard.loglikelihood
        scores.append(Score(sample_id=sample.id, metric=NATS_PER_WORD.name, value=nats, weight=found.word_count))
    saved = None if deaf.text is None else edits(said, deaf.text).words - found.words
    silent = None if saved is not None else deaf.invalid or "nothing was written"
    scores.append(
        Score(sample_id=sample.id, metric=SAVED.name, value=saved, weight=float(found.word_count), invalid=silent)
    )
    return scores
