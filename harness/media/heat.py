"""What parts of a picture or sound are worth to a decision, as colours over it or below."""

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from harness.core.media import AUDIO, Medium, media_type_of
from harness.media.pictures import image_of, of_cells
from harness.media.shown import as_png, safe_medium

__all__ = ["heat_map"]

_FOR, _AGAINST = (0, 114, 178), (213, 94, 0)
"""Blue and vermillion, which the colour-blind can tell apart (Okabe and Ito, 2008)."""
_STRONGEST = 0.75
_SIDE = 280
_STRIP = 24


def heat_map(medium: Medium, values: Sequence[float], grid: tuple[int, int]) -> bytes:
    """A PNG of the picture in grey with each cell of the grid (rows, columns) coloured by its value, row by row.

    Of a sound, whose grid is one row of its stretches, it is the spectrogram with a strip of them below. Blue speaks
    for the decision, vermillion against it, and the strongest value has the strongest colour. Raises `DataError` for a
    medium that can't be read, `ValueError` for another number of values than the grid has cells.
    """
    rows, columns = grid
    if rows < 1 or columns < 1 or len(values) != rows * columns:
        raise ValueError(f"{len(values)} values are no grid of {rows} x {columns}")
    told = np.asarray(values, dtype=float).reshape(rows, columns)
    told = told / (np.abs(told).max() or 1.0)
    if media_type_of(medium) == AUDIO:
        return _png(_with_strip(Image.open(io.BytesIO(as_png(medium)), formats=("PNG",)), told))
    image = image_of(safe_medium(medium))
    scale = _SIDE / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    grey = np.asarray(image.resize(size, Image.Resampling.BICUBIC).convert("L"), dtype=float)
    return _png(_coloured(grey, told))


def _with_strip(spectrogram: Image.Image, told: NDArray[np.float64]) -> NDArray[np.uint8]:
    """The spectrogram, a white line and the strip, one below the other."""
    grey = np.asarray(spectrogram.convert("L"), dtype=float)
    shown = np.repeat(np.round(grey).astype(np.uint8)[..., None], 3, axis=2)
    line = np.full((_STRIP // 6, grey.shape[1], 3), 255, dtype=np.uint8)
    return np.concatenate([shown, line, _coloured(np.full((_STRIP, grey.shape[1]), 255.0), told)])


def _coloured(grey: NDArray[np.float64], told: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Each cell of a grey picture coloured by its value, from -1 to 1."""
    cells = of_cells(told, *grey.shape)[..., None]
    share = np.abs(cells) * _STRONGEST
    colour = np.where(cells >= 0, np.array(_FOR, dtype=float), np.array(_AGAINST, dtype=float))
    mixed: NDArray[np.uint8] = np.round(grey[..., None] * (1 - share) + colour * share).astype(np.uint8)
    return mixed


def _png(pixels: NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="PNG")
    return stream.getvalue()
