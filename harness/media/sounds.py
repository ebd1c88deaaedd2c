"""Sounds as media: one channel of 16 bits, compressed without loss."""

import io
from collections.abc import Sequence

import numpy as np
import soundfile
from numpy.typing import NDArray

from harness.core.media import AUDIO, Medium, data_of

__all__ = [
    *("Samples", "extent_of", "resampled", "samples_of", "seconds_of", "silence", "sound", "trial_sound", "wav_of"),
    "without_stretches",
]

Samples = NDArray[np.float32]
"""Of shape (samples,), from -1 to 1."""


def sound(samples: Samples, rate_hz: int) -> Medium:
    """The medium of a sound; what is louder than 1 is clipped. Equal samples have equal bytes."""
    whole = np.round(np.clip(samples, -1, 1) * 32767).astype(np.int16)
    stream = io.BytesIO()
    soundfile.write(stream, whole, rate_hz, format="FLAC", subtype="PCM_16")
    return Medium(AUDIO, stream.getvalue())


def trial_sound() -> Medium:
    """Half a second that is nowhere the same, to try a model with: a tone that rises and grows louder."""
    time_s = np.arange(8_000) / 16_000
    return sound((time_s * np.sin(2 * np.pi * (200 + 2_000 * time_s) * time_s)).astype(np.float32), 16_000)


def silence(name: str) -> Medium:
    """As long a silence as a medium sounds, of the same rate."""
    count, rate_hz = extent_of(name)
    return sound(np.zeros(count, dtype=np.float32), rate_hz)


def wav_of(name: str) -> bytes:
    """A medium that `sound` made as a WAV file of 16 bits, sample by sample."""
    whole, rate_hz = soundfile.read(io.BytesIO(data_of(name)), dtype="int16")
    stream = io.BytesIO()
    soundfile.write(stream, whole, rate_hz, format="WAV", subtype="PCM_16")
    return stream.getvalue()


def samples_of(name: str) -> tuple[Samples, int]:
    """The samples of a medium that `sound` made, and how many a second has.

    Raises `ModelError` for a name without bytes.
    """
    whole, rate_hz = soundfile.read(io.BytesIO(data_of(name)), dtype="int16")
    return (whole / np.float32(32767)).astype(np.float32), int(rate_hz)


def extent_of(name: str) -> tuple[int, int]:
    """How many samples a medium has, and how many of them make a second; only its header is read."""
    about = soundfile.info(io.BytesIO(data_of(name)))
    return int(about.frames), int(about.samplerate)


def seconds_of(name: str) -> float:
    """How long a medium sounds."""
    count, rate_hz = extent_of(name)
    return count / rate_hz


def without_stretches(name: str, kept: Sequence[bool]) -> Medium:
    """The sound with silence in place of those of its stretches, as many as are told of, that aren't `kept`."""
    samples, rate_hz = samples_of(name)
    places = np.arange(len(samples)) * len(kept) // max(len(samples), 1)
    return sound(np.where(np.asarray(kept, dtype=bool)[places], samples, np.float32(0)), rate_hz)


def resampled(samples: Samples, rate_hz: int, wanted_hz: int) -> Samples:
    """The same sound with another number of samples a second."""
    if rate_hz == wanted_hz:
        return samples
    from scipy.signal import resample_poly  # late: it takes half a second, which reading texts should not cost

    common = int(np.gcd(rate_hz, wanted_hz))
    return resample_poly(samples, wanted_hz // common, rate_hz // common).astype(np.float32)
