"""Noise in pictures: what cameras, networks and printers do to them.

Kinds and strengths are those of Hendrycks and Dietterich, Benchmarking neural network robustness to common corruptions
and perturbations (2019), where they have them; widths of blurs and blocks are theirs for pictures of 224 pixels, and
shrink with the picture.
"""

import io
from abc import abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage, signal
from typing_extensions import override

from harness.core.perturbations import PicturePerturbation, Pixels
from harness.media.pictures import image_of_pixels, pixels_of_image
from probes.perturbations.edits import checked

__all__ = [
    "Brightness",
    "DefocusBlur",
    "GaussianNoise",
    "GreyPatch",
    "ImpulseNoise",
    "JPEGCompression",
    "LowContrast",
    "LowResolution",
    "MotionBlur",
    "Pixelation",
    "Rotation",
    "ShotNoise",
]

_USUAL = 224
_LEAST = 1 / 255
"""The darkest that a pixel of eight bits is, but for black."""
_PLACES = 64
_HIDDEN = 0.25
"""The largest share of a thing that is covered."""
_SMALLEST = 1 / 2000
"""Of a picture: what is smaller is grain, and no thing."""
_LEVELS = 16
"""So many of each of red, green and blue are told apart."""
_FAR = 0.1
"""By so much in red, green or blue a pixel differs from the commonest colour."""


class Corruption(PicturePerturbation):
    """A corruption with a strength for each severity from 1 to 5."""

    strengths: ClassVar[tuple[float, float, float, float, float]]

    @override
    def corrupt(self, pixels: Pixels, rng: np.random.Generator, severity: int) -> Pixels:
        return self.at(pixels, rng, self.strengths[severity - 1]) if checked(severity) else pixels

    @abstractmethod
    def at(self, pixels: Pixels, rng: np.random.Generator, strength: float) -> Pixels:
        """The picture at that strength."""


class GaussianNoise(Corruption):
    """Noise of a sensor in low light; the strength is its standard deviation."""

    name = "gaussian_noise"
    strengths = (0.08, 0.12, 0.18, 0.26, 0.38)

    @override
    def at(self, pixels: Pixels, rng: np.random.Generator, strength: float) -> Pixels:
        return np.clip(pixels + rng.normal(0, strength, pixels.shape), 0, 1)


class ShotNoise(Corruption):
    """Light comes in photons; the strength is how many a white pixel has."""

    name = "shot_noise"
    strengths = (60, 25, 12, 5, 3)

    @override
    def at(self, pixels: Pixels, rng: np.random.Generator, strength: float) -> Pixels:
        return np.clip(rng.poisson(pixels * strength) / strength, 0, 1)


class ImpulseNoise(Corruption):
    """Values that are black or white by an error of a bit; the strength is their share."""

    name = "impulse_noise"
    strengths = (0.03, 0.06, 0.09, 0.17, 0.27)

    @override
    def at(self, pixels: Pixels, rng: np.random.Generator, strength: float) -> Pixels:
        draw = rng.random(pixels.shape)
        return np.where(draw < strength / 2, 0.0, np.where(draw < strength, 1.0, pixels))


class DefocusBlur(Corruption):
    """A picture out of focus; the strength is the radius of the disc that a point becomes."""

    name = "defocus_blur"
    strengths = (3, 4, 6, 8, 10)

    @override
    def at(self, pixels: Pixels, rng: np.random.Generator, strength: float) -> Pixels:
        radius = _scaled(strength, pixels)
        grid = np.arange(-int(np.ceil(radius)), int(np.ceil(radius)) + 1)
        disc = (grid[:, None] ** 2 + grid**2 <= radius**2 + 0.25).astype(float)
        edge = len(grid) // 2
        wider = np.pad(pixels, ((edge, edge), (edge, edge), (0, 0)), mode="edge")
        # By way of frequencies: a photograph's disc has tens of thousands of pixels.
        blurred = signal.fftconvolve(wider, (disc / disc.sum())[:, :, None], mode="valid", axes=(0, 1))
        # Rounded, so that what frequencies leave behind the last digit decides nothing.
        return np.asarray(np.clip(blurred, 0, 1).round(9))


class MotionBlur(Corruption):
    """A camera that moves sideways; the strength is by how far."""

    name = "motion_blur"
    strengths = (10, 15, 18, 22, 28)

    @override
    def at(self, pixels: Pixels, rng: np.random.Generator, strength: float) -> Pixels:
        return ndimage.uniform_filter1d(pixels, max(2, round(_scaled(strength, pixels))), axis=1, mode="nearest")


class Pixelation(Corruption):
    """A picture of fewer pixels, shown larger; the strength is the share of each side that is left."""

    name = "pixelation"
    strengths = (0.6, 0.5, 0.4, 0.3, 0.25)

    @override
    def at(self, pixels: Pixels, rng: np.random.Generator, strength: float) -> Pixels:
        image = image_of_pixels(pixels)
        small = image.resize([max(1, round(side * strength)) for side in image.size], Image.Resampling.BOX)
        return pixels_of_image(small.resize(image.size, Image.Resampling.NEAREST))


class LowResolution(Corruption):
    """A picture of fewer pixels, smoothed as it is enlarged; the strength is the share of each side that is left.

    As strong as `pixelation`, whose blocks have edges of their own.
    """

    name = "resolution"
    strengths = (0.6, 0.5, 0.4, 0.3, 0.25)

    @override
    def at(self, pixels: Pixels, rng: np.random.Generator, strength: float) -> Pixels:
        image = image_of_pixels(pixels)
        small = image.resize([max(1, round(side * strength)) for side in image.size], Image.Resampling.BOX)
        return pixels_of_image(small.resize(image.size, Image.Resampling.BICUBIC))


class JPEGCompression(Corruption):
    """A picture saved with loss; the strength is JPEG's quality."""

    name = "jpeg_compression"
    strengths = (25, 18, 15, 10, 7)

    @override
    def at(self, pixels: Pixels, rng: np.random.Generator, strength: float) -> Pixels:
        stream = io.BytesIO()
        image_of_pixels(pixels).save(stream, format="JPEG", quality=int(strength))
        return pixels_of_image(Image.open(stream, formats=("JPEG",)))


class LowContrast(Corruption):
    """A washed-out picture; the strength is the share of the contrast that is left."""

    name = "contrast"
    strengths = (0.4, 0.3, 0.2, 0.1, 0.05)

    @override
    def at(self, pixels: Pixels, rng: np.random.Generator, strength: float) -> Pixels:
        mean = pixels.mean(axis=(0, 1), keepdims=True)
        return np.asarray((pixels - mean) * strength + mean)


class Brightness(Corruption):
    """A picture that was lit too long; the strength is what is added to the largest of red, green and blue.

    Hues stay: to add to all three would make an orange and a yellow the same.
    """

    name = "brightness"
    strengths = (0.1, 0.2, 0.3, 0.4, 0.5)

    @override
    def at(self, pixels: Pixels, rng: np.random.Generator, strength: float) -> Pixels:
        value = pixels.max(axis=2, keepdims=True)
        lit = np.clip(value + strength, 0, 1)
        # Of black, which has no hue, comes a grey.
        return np.asarray(np.where(value > 0, pixels * (lit / np.maximum(value, _LEAST)), lit))


class Rotation(Corruption):
    """A camera that is held askew; the strength is by how many degrees, to either side.

    The picture becomes so much smaller that its corners, and what stands there, are still seen.
    """

    name = "rotation"
    strengths = (5, 10, 15, 20, 30)

    @override
    def at(self, pixels: Pixels, rng: np.random.Generator, strength: float) -> Pixels:
        angle = np.deg2rad(strength if rng.random() < 0.5 else -strength)
        (height, width), cos, sin = pixels.shape[:2], np.cos(angle), np.sin(angle)
        farther = cos + abs(sin) * max(height / width, width / height)
        back = farther * np.array([[cos, sin], [-sin, cos]])
        centre = (np.array([height, width]) - 1) / 2
        start = centre - back @ centre
        turned = [
            ndimage.affine_transform(pixels[:, :, colour], back, offset=start, order=1, mode="nearest")
            for colour in range(pixels.shape[2])
        ]
        return np.clip(np.stack(turned, axis=2), 0, 1)


class GreyPatch(Corruption):
    """Something before the lens: a grey square; the strength is its share of the shorter side.

    It leaves at least three quarters of each thing in sight, as far as things are told: connected pixels that aren't of
    the picture's commonest colour. Of 64 random places it takes the first that does, or else the one that hides the
    least. It is a grey thing itself: leave it out where grey things are asked about.
    """

    name = "occlusion"
    strengths = (0.1, 0.15, 0.2, 0.25, 0.3)

    @override
    def at(self, pixels: Pixels, rng: np.random.Generator, strength: float) -> Pixels:
        height, width = pixels.shape[:2]
        side = max(1, round(strength * min(height, width)))
        things = _things(pixels)
        sizes = np.bincount(things.ravel())
        told = sizes >= _SMALLEST * things.size
        told[0] = False
        rows, columns = (rng.integers(0, length - side + 1, _PLACES) for length in (height, width))
        hidden = [
            _most_hidden(things[row : row + side, column : column + side], sizes, told)
            for row, column in zip(rows, columns, strict=True)
        ]
        fitting = [place for place, share in enumerate(hidden) if share <= _HIDDEN]
        place = fitting[0] if fitting else int(np.argmin(hidden))
        covered = pixels.copy()
        covered[rows[place] : rows[place] + side, columns[place] : columns[place] + side] = 0.5
        return covered


def _things(pixels: Pixels) -> NDArray[np.intp]:
    """The number of the thing that each pixel belongs to, from 1; 0 for those of the commonest colour."""
    levels = np.minimum((pixels * _LEVELS).astype(int), _LEVELS - 1) @ np.array([_LEVELS**2, _LEVELS, 1])
    common = pixels[levels == np.bincount(levels.ravel()).argmax()].mean(axis=0)
    found, _ = ndimage.label(np.abs(pixels - common).max(axis=2) > _FAR, structure=np.ones((3, 3)))
    return np.asarray(found, dtype=np.intp)


def _most_hidden(covered: NDArray[np.intp], sizes: NDArray[np.intp], told: NDArray[np.bool_]) -> float:
    """The largest share of a thing that is told of which lies under a patch."""
    shares = np.bincount(covered.ravel(), minlength=len(sizes)) / np.maximum(sizes, 1)
    return float(shares[told].max(initial=0.0))


def _scaled(width: float, pixels: Pixels) -> float:
    return max(1.0, width * float(min(pixels.shape[:2])) / _USUAL)
