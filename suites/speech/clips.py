"""Recorded clips as sounds, and which of them are asked about."""

import base64
import binascii
import io
import re
import wave
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.core.datasets import Row
from harness.core.errors import DataError
from harness.media.sounds import Samples
from suites.speech.words import normalised

__all__ = ["Clip", "clips_of"]

FEWEST_WORDS = 4
LONGEST_S = 15.0
_SPELT = re.compile(r"[\d*#]")


@dataclass(frozen=True, slots=True)
class Clip:
    """A recording of so many samples a second, and the `text` that is said in it."""

    name: str
    text: str
    samples: Samples
    rate_hz: int

    @property
    def seconds(self) -> float:
        """How long it sounds."""
        return len(self.samples) / self.rate_hz


def clips_of(rows: Sequence[Row]) -> list[Clip]:
    """The clips of at least four words and at most 15 seconds, in the order of the rows.

    One whose text has a figure or one of a telephone's other keys is left out: `4` and `four` are both right, and count
    as different words, and `#` is said `pound`. Raises `DataError` for a row whose `wav` is no WAV file of one channel
    and 16 bits, in base64.
    """
    found = []
    for row in rows:
        text = str(row["text"])
        if len(normalised(text).split()) < FEWEST_WORDS or _SPELT.search(text):
            continue
        clip = _clip(str(row["id"]), text, str(row["wav"]))
        if clip.seconds <= LONGEST_S:
            found.append(clip)
    return found


def _clip(name: str, text: str, packed: str) -> Clip:
    try:
        with wave.open(io.BytesIO(base64.b64decode(packed, validate=True))) as file:
            if (file.getnchannels(), file.getsampwidth()) != (1, 2):
                raise DataError("isn't one channel of 16 bits", place=name)
            whole = np.frombuffer(file.readframes(file.getnframes()), "<i2")
            return Clip(name, text, (whole / np.float32(32768)).astype(np.float32), file.getframerate())
    except (binascii.Error, wave.Error, EOFError) as error:
        raise DataError(f"is no WAV file in base64 ({error})", place=name) from error
