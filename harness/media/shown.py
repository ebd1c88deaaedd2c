"""Media of records, which anybody may have written, as pictures for people to look at."""

import io
import tempfile
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.signal import spectrogram

from harness.core.errors import DataError
from harness.core.media import AUDIO, IMAGE, Medium, media_type_of
from harness.media.admission import admitted
from harness.media.sounds import samples_of

__all__ = ["as_png", "safe_medium"]

_WIDTH, _HEIGHT = 600, 160
_WINDOW_S = 0.025
_RANGE_DB = 80.0


@lru_cache(maxsize=64)
def safe_medium(medium: Medium) -> Medium:
    """The medium, read and written anew in a process of its own. Raises `DataError` for one that can't be read."""
    media_type = media_type_of(medium)
    with tempfile.TemporaryDirectory(prefix="harness-media-") as folder:
        path = Path(folder) / "medium"
        path.write_bytes(medium.data)
        try:
            return admitted(path, media_type)
        except DataError as error:
            raise DataError(error.problem, place=medium[:40]) from error


def as_png(medium: Medium) -> bytes:
    """A picture as it is; of a sound its spectrogram, time from left to right and pitch from below, loud is dark.

    Raises `DataError` as `safe_medium`.
    """
    sound = safe_medium(medium)
    if media_type_of(medium) == IMAGE:
        return sound.data
    assert media_type_of(medium) == AUDIO
    samples, rate_hz = samples_of(sound)
    window = max(16, int(_WINDOW_S * rate_hz))
    if len(samples) < window:
        samples = np.pad(samples, (0, window - len(samples)))
    _, _, power = spectrogram(samples, rate_hz, nperseg=window, noverlap=window // 2)
    loudness_db = 10 * np.log10(np.maximum(power, 1e-12))
    share = np.clip((loudness_db - (loudness_db.max() - _RANGE_DB)) / _RANGE_DB, 0, 1)
    image = Image.fromarray(np.round(255 * (1 - share[::-1])).astype(np.uint8)).resize((_WIDTH, _HEIGHT))
    stream = io.BytesIO()
    image.save(stream, format="PNG")
    return stream.getvalue()
