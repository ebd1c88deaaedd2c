"""Pictures as media: eight bits a channel, red, green and blue, without any of what else a file may hold."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from harness.core.media import IMAGE, Medium, data_of

__all__ = [
    *("image_of", "image_of_pixels", "of_cells", "picture", "picture_of_pixels", "pixels_of", "pixels_of_image"),
    *("trial_picture", "without_cells"),
]


def picture(image: Image.Image) -> Medium:
    """The medium of an image, with white where it is transparent; equal pixels have equal bytes."""
    if image.has_transparency_data:
        shown = image.convert("RGBA")
        image = Image.new("RGBA", shown.size, "white")
        image.alpha_composite(shown)
    # A copy of the pixels alone: comments, profiles and places where a photograph was taken stay behind.
    bare = Image.frombytes("RGB", image.size, image.convert("RGB").tobytes())
    stream = io.BytesIO()
    bare.save(stream, format="PNG")
    return Medium(IMAGE, stream.getvalue())


def trial_picture() -> Medium:
    """A small picture that is nowhere the same, and wider than high, to try a model with."""
    image = Image.linear_gradient("L").resize((64, 48))
    return picture(Image.merge("RGB", (image, image.rotate(180), image.transpose(Image.Transpose.FLIP_TOP_BOTTOM))))


def image_of(name: str) -> Image.Image:
    """The RGB image of a medium that `picture` made. Raises `ModelError` for a name without bytes."""
    image = Image.open(io.BytesIO(data_of(name)), formats=("PNG",))
    image.load()
    return image


def pixels_of(name: str) -> NDArray[np.float64]:
    """The picture's red, green and blue from 0 to 1, of shape (height, width, 3)."""
    return pixels_of_image(image_of(name))


def pixels_of_image(image: Image.Image) -> NDArray[np.float64]:
    """An image as `pixels_of` gives it."""
    return np.asarray(image.convert("RGB"), dtype=np.float64) / 255


def picture_of_pixels(pixels: NDArray[np.float64]) -> Medium:
    """The medium of such pixels; what lies outside of 0 to 1 is clipped."""
    return picture(image_of_pixels(pixels))


def image_of_pixels(pixels: NDArray[np.float64]) -> Image.Image:
    """The RGB image of such pixels; what lies outside of 0 to 1 is clipped."""
    return Image.fromarray(np.round(np.clip(pixels, 0, 1) * 255).astype(np.uint8))


def of_cells(values: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """For each pixel the value of its cell, of shape (height, width), from those of a grid: (rows, columns)."""
    rows, columns = values.shape
    found: NDArray[Any] = values[np.arange(height)[:, None] * rows // height, np.arange(width)[None] * columns // width]
    return found


def without_cells(name: str, grid: tuple[int, int], kept: Sequence[bool]) -> Medium:
    """The picture with those cells of a grid (rows, columns) that aren't `kept` filled with its mean colour.

    Cells are counted row by row. Raises `ValueError` for another number of cells than the grid has.
    """
    rows, columns = grid
    if len(kept) != rows * columns:
        raise ValueError(f"{len(kept)} cells are told of, and the grid has {rows * columns}")
    pixels = pixels_of(name)
    height, width, _ = pixels.shape
    hidden = ~np.asarray(kept, dtype=bool).reshape(rows, columns)
    return picture_of_pixels(np.where(of_cells(hidden, height, width)[..., None], pixels.mean(axis=(0, 1)), pixels))
