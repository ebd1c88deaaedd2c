"""Pictures that are drawn from the run's seed, so that no model has seen them and the truth is exact."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any, ClassVar

from PIL import Image, ImageDraw, ImageFont
from typing_extensions import override

from harness.core.metrics import Metric
from harness.core.tasks import Row, Sample, TaskSettings
from harness.core.text.hashing import digest
from suites.vision.looking import Looking, PictureQuestion, looked_metrics, pictured

__all__ = [
    "COLOURS",
    "SHAPES",
    "SIZE",
    "Drawn",
    "Maker",
    "all_drawn",
    "canvas",
    "draw_shape",
    "font",
    "scattered",
    "shuffled",
]

SIZE = 224
"""Width and height of a drawn picture in pixels, as most vision encoders see."""
COLOURS: Mapping[str, tuple[int, int, int]] = {
    "red": (214, 40, 40),
    "blue": (38, 84, 200),
    "green": (30, 140, 60),
    "yellow": (240, 200, 20),
    "purple": (130, 50, 160),
    "orange": (240, 130, 20),
}
SHAPES = ("circle", "square", "triangle", "star")
WHOLE = 300
"""Pictures of a task where no limit is given; there is no end to what could be drawn."""
DIGESTED = 12
"""Pictures that stand for all of a seed in the digest of the data."""
_STAR = ((50, 0), (62, 36), (100, 36), (69, 58), (81, 95), (50, 72), (19, 95), (31, 58), (0, 36), (38, 36))

Maker = Callable[[Random], PictureQuestion]
"""Draws one picture and asks about it."""


def all_drawn(
    draw: Callable[[int], Sample], settings: TaskSettings, told: Callable[[Sample], list[Any]]
) -> tuple[list[Sample], str]:
    """As many samples as the limit says, 300 without one, and the digest of what is `told` of a seed's first ones."""
    limit = WHOLE if settings.limit is None else settings.limit
    pinned = [draw(index) for index in range(DIGESTED)]
    found = [pinned[index] if index < DIGESTED else draw(index) for index in range(limit)]
    return found, digest([told(one) for one in pinned])


class Drawn(Looking):
    """Questions about drawn pictures of several kinds, in turn, so that any limit spreads over all kinds.

    A kind that comes twice in a round is asked about twice as often.
    """

    kinds: ClassVar[Sequence[tuple[str, Maker]]]
    data = None
    metrics: Sequence[Metric] = looked_metrics(("kind",))

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """As many as the limit says, 300 without one."""
        samples, self.data_digest = all_drawn(
            partial(self._drawn, settings.seed),
            settings,
            lambda one: [one.prompt, one.choices, one.gold, one.fields["picture"]],
        )
        return samples

    def _drawn(self, seed: int, index: int) -> Sample:
        name, make = self.kinds[index % len(self.kinds)]
        look = make(Random(f"{seed}:{self.name}:{name}:{index}"))
        return pictured(f"{name}-{seed}-{index}", replace(look, groups={"kind": name, **look.groups}))


def canvas() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """A white picture, and what draws on it."""
    image = Image.new("RGB", (SIZE, SIZE), "white")
    return image, ImageDraw.Draw(image)


def font(size: int) -> ImageFont.FreeTypeFont:
    """The typeface that Pillow brings, in that many pixels."""
    found = ImageFont.load_default(size=size)
    assert isinstance(found, ImageFont.FreeTypeFont)
    return found


def draw_shape(draw: ImageDraw.ImageDraw, shape: str, colour: str, corner: tuple[int, int], size: int) -> None:
    """A shape in the square of that size whose upper left corner is given."""
    x, y = corner
    box, fill = (x, y, x + size, y + size), COLOURS[colour]
    if shape == "circle":
        draw.ellipse(box, fill=fill)
    elif shape == "square":
        draw.rectangle(box, fill=fill)
    elif shape == "triangle":
        draw.polygon([(x + size / 2, y), (x + size, y + size), (x, y + size)], fill=fill)
    else:
        draw.polygon([(x + size * a / 100, y + size * b / 100) for a, b in _STAR], fill=fill)


def scattered(rng: Random, things: Sequence[tuple[str, str]], cells: int = 4) -> Image.Image:
    """Things (colour and shape) in cells of a grid, each somewhere in its own, none touching another."""
    image, draw = canvas()
    width = SIZE // cells
    places = rng.sample(range(cells * cells), len(things))
    for (colour, shape), place in zip(things, places, strict=True):
        size = rng.randrange(width // 2, int(width * 0.8))
        x, y = (part * width + rng.randrange(2, width - size - 2) for part in (place % cells, place // cells))
        draw_shape(draw, shape, colour, (x, y), size)
    return image


def shuffled(rng: Random, right: str, others: Sequence[str]) -> tuple[tuple[str, ...], int]:
    """The right choice among others in any order, and its index."""
    choices = [right, *others]
    rng.shuffle(choices)
    return tuple(choices), choices.index(right)
