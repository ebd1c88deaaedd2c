"""Beeps that are made from the run's seed: how many, and does their pitch rise or fall?"""

from collections.abc import Sequence
from random import Random

import numpy as np
from typing_extensions import override

from harness.core.media import Medium
from harness.core.tasks import Row, Sample, TaskSettings
from harness.core.text.hashing import digest
from harness.media.sounds import sound
from suites.speech.listening import Listening, SoundQuestion, heard_metrics, sounded

__all__ = ["GeneratedBeeps", "beeps"]

RATE_HZ = 16000
LENGTH_S = 2.4
_COUNTS = ("two", "three", "four", "five")
_PITCHES = ("It rises", "It falls")
_QUESTIONS = ("How many beeps are there?", "Does the pitch of the beeps rise or fall?")
_WHOLE = 300
_DIGESTED = 12


class GeneratedBeeps(Listening):
    """Counts beeps, and says whether their pitch rises or falls, in sounds that are made from the run's seed.

    What it measures. Each sound is asked about twice: how many beeps it has (two to five), and whether each is higher
    than the one before, or lower. Lengths, pauses, pitches and loudness are drawn. Read `acc` by `question`.

    Why it matters. A model that hears words may be deaf to all else. A sound that is made from a seed is in nobody's
    training data, and the truth about it is exact.

    Limits. Pure tones in silence are like few sounds of the world. Chance is one in four, and one in two. Twelve sounds
    by default: an error of 0.14 in each.
    """

    name = "generated_beeps"
    data = None
    default_limit = 24
    metrics = heard_metrics(("question",))

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """As many as the limit says, 300 without one; two follow each other about the same sound."""
        limit = _WHOLE if settings.limit is None else settings.limit
        made = [self._made(settings.seed, index) for index in range(max(limit, _DIGESTED))]
        self.data_digest = digest([[one.prompt, one.gold, one.fields["sound"]] for one in made[:_DIGESTED]])
        return made[:limit]

    def _made(self, seed: int, index: int) -> Sample:
        number, turn = divmod(index, 2)
        rng = Random(f"{seed}:{self.name}:{number}")
        count, falls = rng.randrange(2, 6), rng.random() < 0.5
        heard = SoundQuestion(
            sound=beeps(count, falls, rng),
            question=_QUESTIONS[turn],
            choices=(_COUNTS, _PITCHES)[turn],
            gold=(count - 2, int(falls))[turn],
            groups={"question": ("count", "pitch")[turn]},
            cluster=f"{seed}-{number}",
        )
        return sounded(f"{heard.groups['question']}-{seed}-{number}", heard)


def beeps(count: int, falls: bool, rng: Random) -> Medium:
    """So many tones in 2.4 seconds, each a third to a half higher than the one before, or lower."""
    pitch_hz, loudness = rng.uniform(300, 500), rng.uniform(0.2, 0.6)
    pitches_hz = [pitch_hz]
    for _ in range(count - 1):
        pitches_hz.append(pitches_hz[-1] * rng.uniform(1.33, 1.5))
    samples = np.zeros(int(LENGTH_S * RATE_HZ))
    turn = samples.size // count
    for place, tone_hz in enumerate(reversed(pitches_hz) if falls else pitches_hz):
        length = int(rng.uniform(0.15, 0.25) * RATE_HZ)
        start = place * turn + rng.randrange(turn - length - RATE_HZ // 10)
        wave = np.sin(2 * np.pi * tone_hz * np.arange(length) / RATE_HZ)
        samples[start : start + length] = loudness * wave * np.hanning(length) ** 0.3
    return sound(samples.astype(np.float32), RATE_HZ)
