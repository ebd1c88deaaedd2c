"""What happens to speech on its way: noise, other voices, rooms, clipping, telephones and haste, by severity.

At severity 0 a sound is the same array. What is drawn is decided by the generator alone and is the same at every
severity, so that a ladder's steps differ in strength and in nothing else.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from scipy.signal import butter, fftconvolve, sosfilt

from harness.media.sounds import Samples, resampled

__all__ = ["CORRUPTIONS", "SoundCorruption"]

_VOICES = 4
"""Speakers at once that can't be told apart any more."""
_MU = 255.0
"""Of the companding that telephones use in America and Japan (ITU-T G.711)."""

Apply = Callable[[Samples, int, float, Generator, Sequence[Samples]], Samples]


@dataclass(frozen=True, slots=True)
class SoundCorruption:
    """One way to spoil a sound; `levels` are its strengths from severity 1 on, in `unit`."""

    name: str
    levels: tuple[float, ...]
    unit: str
    apply: Apply

    def share_of_time(self, severity: int) -> float:
        """How long a spoiled sound is, beside the sound itself."""
        return 1 / self.levels[severity - 1] if self.apply is _speed else 1.0

    def label(self, severity: int) -> str:
        """What a severity is, for people, such as `white noise, 10 dB`."""
        return f"{self.name}, {self.levels[severity - 1]:g} {self.unit}"

    def spoiled(
        self, samples: Samples, rate_hz: int, severity: int, rng: Generator, others: Sequence[Samples]
    ) -> Samples:
        """The sound at this severity; `others` are clips of the same rate, in which other people speak.

        It is as loud as it can be without clipping where it would otherwise be louder than 1.
        """
        if severity == 0:
            return samples
        found = self.apply(samples, rate_hz, self.levels[severity - 1], rng, others)
        peak = float(np.abs(found).max(initial=0.0))
        return (found / max(peak, 1.0)).astype(np.float32)


def _power(samples: Samples) -> float:
    return float(np.mean(np.square(samples, dtype=np.float64)))


def _mixed(samples: Samples, noise: Any, snr_db: float) -> Any:
    """Speech with noise, whose power lies so many dB below that of the whole clip, pauses included."""
    loud = _power(noise)
    return samples if loud == 0 else samples + noise * np.sqrt(_power(samples) / loud * 10 ** (-snr_db / 10))


def _white(samples: Samples, _rate_hz: int, snr_db: float, rng: Generator, _others: Sequence[Samples]) -> Any:
    return _mixed(samples, rng.standard_normal(len(samples)), snr_db)


def _babble(samples: Samples, _rate_hz: int, snr_db: float, rng: Generator, others: Sequence[Samples]) -> Any:
    """Several of the other clips at once, each of the same power and repeated from a random place."""
    chosen = rng.choice(len(others), size=min(_VOICES, len(others)), replace=False)
    noise = np.zeros(len(samples))
    for index in chosen:
        voice = np.roll(others[index], -int(rng.integers(len(others[index]))))
        noise += np.resize(voice, len(samples)) / np.sqrt(_power(voice) or 1.0)
    return _mixed(samples, noise, snr_db)


def _reverb(samples: Samples, rate_hz: int, decay_s: float, rng: Generator, _others: Sequence[Samples]) -> Any:
    """A room whose echo, as loud as the voice, is noise that falls by 60 dB in so many seconds (Schroeder, 1965)."""
    time_s = np.arange(int(decay_s * rate_hz)) / rate_hz
    tail = rng.standard_normal(len(time_s)) * 10 ** (-3 * time_s / decay_s)
    tail /= np.sqrt(np.sum(np.square(tail)))
    echo = fftconvolve(samples, tail)[: len(samples)]
    return (samples + echo) / np.sqrt(2)


def _clipping(samples: Samples, _rate_hz: int, share: float, _rng: Generator, _others: Sequence[Samples]) -> Any:
    """Amplitudes cut off at such a share of the highest, and made as loud again."""
    limit = share * float(np.abs(samples).max(initial=0.0))
    return samples if limit == 0 else np.clip(samples, -limit, limit) / share


def _telephone(samples: Samples, rate_hz: int, highest_hz: float, _rng: Generator, _others: Sequence[Samples]) -> Any:
    """From 300 Hz to the highest frequency, in 8 bits by the mu-law."""
    band = butter(4, (300.0, min(highest_hz, 0.49 * rate_hz)), btype="bandpass", fs=rate_hz, output="sos")
    heard = np.clip(sosfilt(band, samples), -1, 1)
    coded = np.round(np.sign(heard) * np.log1p(_MU * np.abs(heard)) / np.log1p(_MU) * 127) / 127
    return np.sign(coded) * np.expm1(np.abs(coded) * np.log1p(_MU)) / _MU


def _speed(samples: Samples, _rate_hz: int, factor: float, _rng: Generator, _others: Sequence[Samples]) -> Any:
    """Played so many times as fast, so that its pitch rises, too."""
    return resampled(samples, round(factor * 10), 10)


CORRUPTIONS: Mapping[str, SoundCorruption] = {
    one.name: one
    for one in (
        SoundCorruption("white noise", (20.0, 10.0, 0.0), "dB", _white),
        SoundCorruption("babble", (20.0, 10.0, 0.0), "dB", _babble),
        SoundCorruption("reverb", (0.4, 1.2), "s", _reverb),
        SoundCorruption("clipping", (0.3, 0.05), "of the peak", _clipping),
        SoundCorruption("telephone", (3400.0, 1800.0), "Hz", _telephone),
        SoundCorruption("speed", (1.3, 1.7), "times", _speed),
    )
}
"""Every corruption by its name."""
