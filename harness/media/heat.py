"""What parts of a picture are worth to a decision, as colours over it."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from harness.core.media import Medium
from harness.media.pictures import image_of, of_cells
from harness.media.shown import safe_medium

__all__ = ["heat_map"]

_FOR, _AGAINST = (0, 114, 178), (213, 94, 0)
"""Blue and vermillion, which the colour-blind can tell apart (Okabe and Ito, 2008)."""
_STRONGEST = 0.75
_SIDE = 280


def heat_map(medium: Medium, values: Sequence[float], grid: tuple[int, int]) -> bytes:
    """A PNG of the picture in grey with each cell of the grid (rows, columns) coloured by its value, row by row.

    Blue speaks for the decision, vermillion against it, and the strongest value has the strongest colour. Raises
    `DataError` for a picture that can't be read, `ValueError` for another number of values than the grid has cells.
    """
    rows, columns = grid
    if rows < 1 or columns < 1 or len(values) != rows * columns:
        raise ValueError(f"{len(values)} values are no grid of {rows} x {columns}")
    image = image_of(safe_medium(medium))
    scale = _SIDE / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    grey = np.asarray(image.resize(size, Image.Resampling.BICUBIC).convert("L"), dtype=float)[..., None]
    told = np.asarray(values, dtype=float).reshape(rows, columns)
    reach = np.abs(told).max() or 1.0
    cells = of_cells(told / reach, *grey.shape[:2])
    share = (np.abs(cells) * _STRONGEST)[..., None]
    colour = np.where(cells[..., None] >= 0, np.array(_FOR, dtype=float), np.array(_AGAINST, dtype=float))
    stream = io.BytesIO()
    Image.fromarray(np.round(grey * (1 - share) + colour * share).astype(np.uint8)).save(stream, format="PNG")
    return stream.getvalue()
