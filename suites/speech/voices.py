"""The same recordings in higher and lower voices: a control for what is said of groups of speakers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from typing_extensions import override

from harness.core.requests import Request, Response
from harness.core.scores import Score
from harness.core.tasks import Sample
from harness.media.sounds import Samples, resampled
from suites.speech.clips import Clip
from suites.speech.gaps import gap_metrics
from suites.speech.transcription import Announcements
from suites.speech.words import AUDIO_SECONDS, edits, error_rate

__all__ = ["AlteredVoices", "pitched"]

_VOICES: Mapping[str, float] = {"as recorded": 0.0, "a higher voice": 4.0, "a lower voice": -4.0}
"""Semitones by which each lies above the recording."""
_WINDOW_S = 0.05
_OVERLAP = 4
_STEPS = 1000
"""A voice's factor is rounded to so many parts."""

VOICE_WER = replace(
    error_rate(
        "voice_wer",
        "errors/word",
        """
        Word error rate, from 0 up, lower is better, in all voices together or in one `voice` (`as recorded`,
        `a higher voice`, `a lower voice`). The clips of all voices are the same, and the interval takes each as one.
        """,
        "voice",
    ),
    smallest_group=1,
)


class AlteredVoices(Announcements):
    """The announcements as they were recorded, and in a voice four semitones higher and lower.

    What it measures. The word error rate of each voice, the gap between the best and the worst, and whether it is more
    than chance: since each clip is asked about in every voice, its three errors are dealt out to the voices anew. The
    words, their pace, microphone and accent are the same, so nothing but the voice can make a gap.

    Why it matters. Recognisers serve some groups of speakers worse (Koenecke et al., 2020; Tatman, 2017). A gap between
    groups of people may lie in what they say, and where; here it can't. Your own recordings, with the same metrics, go
    into a suite file (`type: transcription`).

    Limits. A control, and no evidence about people: a phase vocoder (Flanagan and Golden, 1966) moves pitch and vocal
    tract together, as in a smaller or larger speaker, and leaves a trace of its own, of which errors may come, too. One
    voice is altered, a woman's. Eight clips by default: a gap of fewer than ten errors in a hundred words doesn't show.
    """

    name = "altered_voices"
    default_limit = 8
    metrics = (VOICE_WER, *gap_metrics(["voice"], 2), AUDIO_SECONDS)

    @override
    def requests(self, sample: Sample) -> Sequence[Request]:
        """One for each voice; that of the recording is the one that `spoken_announcements` asks."""
        return list(self._asked(self.clip(sample)))

    def _asked(self, clip: Clip) -> Iterator[Request]:
        for semitones in _VOICES.values():
            yield self.asked(pitched(clip.samples, clip.rate_hz, semitones), clip.rate_hz, reference=clip.text)

    @override
    def variant(self, sample: Sample, position: int) -> str:
        return list(_VOICES)[position] if position else ""

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        found = []
        for voice, response in zip(_VOICES, responses, strict=True):
            heard = None if response.text is None else edits(str(sample.gold), response.text)
            blank = Score(
                sample_id=sample.id,
                metric="",
                value=None if heard is None else heard.words,
                weight=1.0 if heard is None else heard.word_count,
                groups={"voice": voice},
                cluster=sample.id,
                invalid=None if heard is not None else response.invalid or "nothing was written",
            )
            found += [replace(blank, metric=one.name) for one in self.metrics if one is not AUDIO_SECONDS]
        unheard = next((one.invalid or "nothing was written" for one in responses if one.text is None), None)
        seconds = None if unheard else self.clip(sample).seconds * len(_VOICES)
        return [*found, Score(sample_id=sample.id, metric=AUDIO_SECONDS.name, value=seconds, invalid=unheard)]


def pitched(samples: Samples, rate_hz: int, semitones: float) -> Samples:
    """The sound so many semitones higher, as long as it was and as loud."""
    if not semitones:
        return samples
    factor = round(_STEPS * 2 ** (semitones / 12))
    found = resampled(_stretched(samples, rate_hz, factor / _STEPS), factor, _STEPS)[: len(samples)]
    found = np.pad(found, (0, len(samples) - len(found)))
    power, wanted = float(np.mean(np.square(found))), float(np.mean(np.square(samples)))
    found = found * np.sqrt(wanted / power if power else 1.0)
    loudest: Samples = (found / max(float(np.abs(found).max(initial=0.0)), 1.0)).astype(np.float32)
    return loudest


def _stretched(samples: Samples, rate_hz: int, factor: float) -> Samples:
    """The sound so many times as long, of the same pitch: each part's phase goes on as it does in the sound."""
    size = int(_WINDOW_S * rate_hz) // _OVERLAP * _OVERLAP
    hop, window = size // _OVERLAP, np.hanning(size)
    padded = np.pad(samples, (0, 2 * size + hop))
    count = int(len(samples) * factor / hop) + 1
    found, phase = np.zeros(count * hop + size), np.zeros(size // 2 + 1)
    for step in range(count):
        start = int(step * hop / factor)
        before, after = (np.fft.rfft(window * padded[at : at + size]) for at in (start, start + hop))
        phase = np.angle(after) if step == 0 else phase + np.angle(after * before.conj())
        found[step * hop : step * hop + size] += window * np.fft.irfft(np.abs(after) * np.exp(1j * phase), size)
    return found.astype(np.float32)
