"""Sounds in which nobody speaks: does the model write words nevertheless?"""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.signal import lfilter
from typing_extensions import override

from harness.core.metrics import PerUnit, Proportion
from harness.core.requests import Request, Response, Transcribe
from harness.core.scores import Score
from harness.core.tasks import Row, Sample, Task, TaskSettings
from harness.core.text.hashing import digest
from harness.media.sounds import Samples, sound
from suites.speech.transcription import MAX_TOKENS
from suites.speech.words import AUDIO_SECONDS, normalised

__all__ = ["HALLUCINATION", "SpeechlessSounds", "goes_in_circles"]

RATE_HZ = 16000
_LONGEST_LOOP = 4
_TIMES = 3

HALLUCINATION = Proportion(
    name="hallucination",
    unit="share",
    direction="lower",
    by=("kind",),
    smallest_group=1,
    source="share of sounds without speech for which words are written, as Koenecke et al., Careless Whisper (2024), "
    "found them in pauses",
    meaning="""
    In [0, 1]: share of sounds without speech for which at least one word is written, all of them or those of one `kind`
    of sound; lower is better. Punctuation alone is no word.
    """,
)
INVENTED = PerUnit(
    name="invented_words_per_minute",
    unit="words/min",
    direction="lower",
    transform="plain",
    lowest=0.0,
    source="words written for sounds without speech, over their minutes",
    meaning="Words a minute written where nobody speaks, from 0 up; lower is better. A speaker says about 150.",
)
CIRCLES = Proportion(
    name="goes_in_circles",
    unit="share",
    direction="lower",
    source="share of sounds without speech for which the same one to four words are written three times in a row",
    meaning="""
    In [0, 1]: share of sounds without speech for which the text repeats one to four words three times in a row or more;
    lower is better. It is how decoders fail that hear nothing and are not allowed to stop.
    """,
)

_KINDS: Mapping[str, Callable[[int, Generator], Samples]] = {
    "silence": lambda count, _rng: np.zeros(count, dtype=np.float32),
    "faint noise": lambda count, rng: _level(rng.standard_normal(count), -60),
    "white noise": lambda count, rng: _level(rng.standard_normal(count), -20),
    "brown noise": lambda count, rng: _level(_brown(rng.standard_normal(count)), -20),
    "mains hum": lambda count, _rng: _level(_tones(count, (50, 100, 150, 250)), -30),
    "clicks": lambda count, rng: _clicks(count, rng),
    "a dialling tone": lambda count, _rng: _level(_tones(count, (350, 440)), -20),
}


class SpeechlessSounds(Task):
    """Silence, noise and tones, made anew from the run's seed.

    What it measures. The share of sounds for which words are written, how many, and whether they go round in circles.
    Sounds last 1 to 10 seconds: silence, faint, white and brown noise, mains hum, clicks, a dialling tone.

    Why it matters. Recognisers with a decoder fill what they don't hear with what is likely. In minutes of a meeting or
    a doctor's notes, such words were said by nobody, and look like all others.

    Limits. No music, no breath, no voices far away, no speech in another language, and no pauses within speech: a model
    that is quiet here may still invent words there. A model that never writes anything is perfect here; look at the
    word error rate, too. There are three sounds of a kind by default: read its share with its interval.
    """

    name = "speechless_sounds"
    language = "en"
    supports_fewshot = False
    default_limit = 21
    longest_s = 10.0
    metrics = (HALLUCINATION, INVENTED, CIRCLES, AUDIO_SECONDS)
    asks: Sequence[type[Request]] = (Transcribe,)

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """One of each kind of sound, then another of each, up to the limit (by default of all: 20 of each)."""
        made = []
        for number in range(20 * len(_KINDS) if settings.limit is None else settings.limit):
            kind = list(_KINDS)[number % len(_KINDS)]
            name = f"{settings.seed}-{kind}-{number}"
            seconds = round(Random(f"{self.name}:{name}").uniform(1.0, self.longest_s), 2)
            made.append(Sample(id=name, prompt="", fields={"kind": kind, "seconds": seconds}))
        self.data_digest = digest([[one.id, one.fields["seconds"]] for one in made])
        return made

    @override
    def requests(self, sample: Sample) -> Sequence[Request]:
        rng = np.random.default_rng(Random(f"{self.name}:{sample.id}:sound").getrandbits(63))
        samples = _KINDS[sample.fields["kind"]](int(sample.fields["seconds"] * RATE_HZ), rng)
        return [Transcribe(audio=sound(samples, RATE_HZ), language=self.language, max_tokens=MAX_TOKENS)]

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        (response,) = responses
        kind, seconds = str(sample.fields["kind"]), float(sample.fields["seconds"])
        if response.text is None:
            reason = response.invalid or "nothing was written"
            return [
                Score(sample_id=sample.id, metric=one.name, value=None, groups={"kind": kind}, invalid=reason)
                for one in self.metrics
            ]
        words = normalised(response.text).split()
        values = ((HALLUCINATION, float(bool(words))), (CIRCLES, float(goes_in_circles(words))))
        return [
            Score(sample_id=sample.id, metric=AUDIO_SECONDS.name, value=seconds),
            *(Score(sample_id=sample.id, metric=one.name, value=value, groups={"kind": kind}) for one, value in values),
            Score(sample_id=sample.id, metric=INVENTED.name, value=len(words), weight=seconds / 60),
        ]


def goes_in_circles(words: Sequence[str]) -> bool:
    """Whether the same one to four words stand three times in a row."""
    return any(
        all(words[start : start + size] == words[start + turn * size : start + (turn + 1) * size] for turn in (1, 2))
        for size in range(1, _LONGEST_LOOP + 1)
        for start in range(len(words) - _TIMES * size + 1)
    )


def _level(samples: NDArray[Any], decibels: float) -> Samples:
    """At so many dB below the loudest sine that there can be, by its power."""
    power = float(np.mean(np.square(samples)))
    return (samples * (np.sqrt(0.5 * 10 ** (decibels / 10) / power) if power else 1.0)).astype(np.float32)


def _brown(noise: NDArray[Any]) -> NDArray[Any]:
    """Noise with little in its high frequencies, as of wind or traffic."""
    found: NDArray[Any] = lfilter([1.0], [1.0, -0.99], noise)
    return found


def _clicks(count: int, rng: Generator) -> Samples:
    """Single samples, some two a second and one at least."""
    found = (rng.random(count) < 2 / RATE_HZ).astype(np.float32)
    found[count // 2] = 1
    return found * np.float32(0.5)


def _tones(count: int, frequencies_hz: Sequence[float]) -> NDArray[Any]:
    time_s = np.arange(count) / RATE_HZ
    waves: NDArray[Any] = np.sum([np.sin(2 * np.pi * frequency * time_s) for frequency in frequencies_hz], axis=0)
    return waves
