"""The same recordings behind noise, other voices, echo, clipping, a telephone, and faster."""

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
from typing_extensions import override

from harness.core.metrics import PerUnit
from harness.core.requests import Request, Response
from harness.core.scores import Score
from harness.core.tasks import Sample
from harness.media.sounds import Samples
from suites.speech.clips import Clip
from suites.speech.noise import CORRUPTIONS, SoundCorruption
from suites.speech.transcription import Announcements
from suites.speech.words import AUDIO_SECONDS, edits, error_rate

__all__ = ["CLEAN", "NOISY", "NoisyAnnouncements"]

NOISY = error_rate(
    "noisy_wer",
    "errors/word",
    """
    Word error rate of the spoiled clips, all of them together or those of one `condition` (`white noise, 10 dB`); from
    0 up, lower is better. The clips of all conditions are the same, and the interval takes each as one.
    """,
    "condition",
)
CLEAN = error_rate(
    "clean_wer", "errors/word", "Word error rate of the same clips unspoiled; from 0 up, lower is better."
)
INCREASE = PerUnit(
    name="wer_increase",
    unit="errors/word",
    direction="lower",
    transform="plain",
    by=("condition",),
    source="paired difference of the word errors of a spoiled clip and of the clip itself, over its words",
    meaning="""
    By how many errors a word the word error rate of the same clips rises when they are spoiled, all conditions together
    or one; lower is better, and 0 where nothing is lost. It is paired: how hard the clips are is no part of its error.
    """,
)


class NoisyAnnouncements(Announcements):
    """What is left of the words when the sound is spoiled, step by step.

    What it measures. Each clip is asked about as it is, and in 14 conditions: white noise and babble (four other clips
    at once) at 20, 10 and 0 dB below the speech's mean power, reverberation of 0.4 and 1.2 s, clipping at 30 % and 5 %
    of the peak, a telephone's band up to 3.4 and 1.8 kHz in 8 bits, and 1.3 and 1.7 times the speed. A draw is
    decided by the run's seed and the clip, and is the same at each step of a ladder.

    Why it matters. Recordings of a studio are the exception. Where a system fails first, it fails some people first.

    Limits. The noise is made, not recorded, and added afterwards: nobody raised their voice against it. The clips have
    a telephone's band as they are, so the first step of that condition takes little away. With ten clips by default,
    intervals are wide: read the order of the steps rather than a single one.
    """

    name = "noisy_announcements"
    default_limit = 10
    metrics = (NOISY, INCREASE, CLEAN, AUDIO_SECONDS)

    @override
    def sample_id(self, clip: Clip) -> str:
        return f"{self._seed}-{clip.name}"

    @override
    def requests(self, sample: Sample) -> Sequence[Request]:
        clip = self.clip(sample)
        others = [one.samples for one in self._clips.values() if one.name != clip.name and one.rate_hz == clip.rate_hz]
        spoiled = (self._spoiled(clip, *condition, others) for condition in _conditions())
        return [self.asked(samples, clip.rate_hz) for samples in (clip.samples, *spoiled)]

    @override
    def variant(self, sample: Sample, position: int) -> str:
        return "" if position == 0 else _label(position)

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        said, plain = str(sample.gold), responses[0]
        seconds = self.clip(sample).seconds * (1 + sum(one.share_of_time(severity) for one, severity in _conditions()))
        scores = []
        clean = None if plain.text is None else edits(said, plain.text)
        if clean is None:
            scores += [
                Score(sample_id=sample.id, metric=one.name, value=None, invalid=plain.invalid)
                for one in (CLEAN, AUDIO_SECONDS)
            ]
        else:
            scores += [
                Score(sample_id=sample.id, metric=CLEAN.name, value=clean.words, weight=clean.word_count),
                Score(sample_id=sample.id, metric=AUDIO_SECONDS.name, value=seconds),
            ]
        for position, response in enumerate(responses[1:], start=1):
            groups = {"condition": _label(position)}
            found = None if response.text is None else edits(said, response.text)
            both = None if clean is None or found is None else found.words - clean.words
            for metric, value in ((NOISY, None if found is None else found.words), (INCREASE, both)):
                scores.append(
                    Score(
                        sample_id=sample.id,
                        metric=metric.name,
                        value=value,
                        weight=1.0 if found is None else found.word_count,
                        groups=groups,
                        cluster=sample.id,
                        invalid=None if value is not None else response.invalid or plain.invalid,
                    )
                )
        return scores

    def _spoiled(self, clip: Clip, corruption: SoundCorruption, severity: int, others: Sequence[Samples]) -> Samples:
        drawn = f"{self._seed}:{self.name}:{clip.name}:{corruption.name}"
        rng = np.random.default_rng(int.from_bytes(hashlib.sha256(drawn.encode()).digest()[:8], "big"))
        return corruption.spoiled(clip.samples, clip.rate_hz, severity, rng, others)


def _conditions() -> Iterator[tuple[SoundCorruption, int]]:
    for corruption in CORRUPTIONS.values():
        for severity in range(1, len(corruption.levels) + 1):
            yield corruption, severity


def _label(position: int) -> str:
    corruption, severity = list(_conditions())[position - 1]
    return corruption.label(severity)
