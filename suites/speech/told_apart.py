"""Recorded clips among other sounds, and their texts among other texts."""

from collections.abc import Callable, Mapping, Sequence
from random import Random

import numpy as np
from numpy.random import Generator
from typing_extensions import override

from harness.core.tasks import Row, Sample, TaskSettings, choose
from harness.media.sounds import Samples, sound
from suites.speech.clips import Clip, clips_of
from suites.speech.listening import Listening, SoundQuestion, heard_metrics, sounded

__all__ = ["KindsOfSound", "WhichWasSaid"]

_NEAREST = 12
"""Texts of the most similar length, of which the other choices are drawn."""


def _tone(samples: Samples, rate_hz: int, rng: Generator) -> Samples:
    wave = np.sin(2 * np.pi * rng.uniform(200, 1500) * np.arange(len(samples)) / rate_hz)
    return _as_loud(wave.astype(np.float32), samples)


def _noise(samples: Samples, _rate_hz: int, rng: Generator) -> Samples:
    return _as_loud(rng.standard_normal(len(samples)).astype(np.float32), samples)


def _speech(samples: Samples, _rate_hz: int, _rng: Generator) -> Samples:
    return samples


_KINDS: Mapping[str, Callable[[Samples, int, Generator], Samples]] = {
    "a person speaking": _speech,
    "a steady tone": _tone,
    "noise": _noise,
}


class _OfClips(Listening):
    """Questions about clips of one data set, drawn by the run's seed as those that are to be written down."""

    data = "asterisk_en"

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        clips = clips_of(rows)
        _, chosen = choose(len(clips), settings, salt=str(self.data))
        return [
            sounded(
                f"{settings.seed}-{clips[index].name}",
                self.question(clips[index], clips, Random(f"{settings.seed}:{self.name}:{clips[index].name}")),
            )
            for index in chosen
        ]

    def question(self, clip: Clip, clips: Sequence[Clip], rng: Random) -> SoundQuestion:
        """What is asked about a clip."""
        raise NotImplementedError


class WhichWasSaid(_OfClips):
    """Which of four texts is spoken in a recording.

    What it measures. The announcements of a telephone exchange, each with its own text and those of three others that
    are about as long. The likeliest is the answer. Asked again with as long a silence, the model says which text it
    finds likeliest anyway: `acc_deaf`.

    Why it matters. Some models understand what is said and write something else, an answer or a description. Here
    nothing hangs on what they write.

    Limits. The other texts have other words throughout: one that differs in a single word is harder. A model prefers
    short and common texts; the control says how far that carries. One voice, and a public recording. Chance is one in
    four; 24 clips by default, an error of 0.1.
    """

    name = "which_was_said"
    default_limit = 24

    @override
    def question(self, clip: Clip, clips: Sequence[Clip], rng: Random) -> SoundQuestion:
        count = len(clip.text.split())
        others = sorted(
            {one.text for one in clips if one.text != clip.text},
            key=lambda text: (abs(len(text.split()) - count), text),
        )
        choices = [clip.text, *rng.sample(others[:_NEAREST], 3)]
        rng.shuffle(choices)
        return SoundQuestion(
            sound=sound(clip.samples, clip.rate_hz),
            question="Which words are said?",
            choices=tuple(choices),
            gold=choices.index(clip.text),
        )


class KindsOfSound(_OfClips):
    """Whether what is heard is a person speaking, a steady tone, or noise.

    What it measures. One of the three for each clip, drawn by the seed: the clip itself, or a tone or a noise as long
    and as loud, so that nothing but its nature tells one from another. Read `acc` by `kind`.

    Why it matters. A model that takes noise for speech will answer it.

    Limits. Three kinds that no person confuses. Chance is one in three; some six sounds of a kind by default.
    """

    name = "kinds_of_sound"
    default_limit = 18
    metrics = heard_metrics(("kind",))

    @override
    def question(self, clip: Clip, clips: Sequence[Clip], rng: Random) -> SoundQuestion:
        kinds = tuple(_KINDS)
        gold = rng.randrange(len(kinds))
        made = _KINDS[kinds[gold]](clip.samples, clip.rate_hz, np.random.default_rng(rng.getrandbits(63)))
        return SoundQuestion(
            sound=sound(made, clip.rate_hz),
            question="What is heard?",
            choices=kinds,
            gold=gold,
            groups={"kind": kinds[gold]},
        )


def _as_loud(samples: Samples, other: Samples) -> Samples:
    """At the mean power of another sound."""
    factor = float(np.sqrt(np.mean(np.square(other)) / np.mean(np.square(samples))))
    return (factor * samples).astype(np.float32)
