"""Coloured shapes: how many, where, and of what colour."""

from collections.abc import Sequence
from random import Random
from typing import ClassVar

from suites.vision.drawn import COLOURS, SHAPES, SIZE, Drawn, Maker, canvas, draw_shape, scattered
from suites.vision.looking import PictureQuestion

__all__ = ["DrawnScenes", "another"]

_NUMBERS = ("one", "two", "three", "four", "five", "six")
_SIDES = ("left of", "right of", "above", "below")


def another(rng: Random, but: tuple[str, str]) -> tuple[str, str]:
    """A colour and a shape, not both as given."""
    while True:
        found = rng.choice(list(COLOURS)), rng.choice(SHAPES)
        if found != but:
            return found


def _counting(rng: Random) -> PictureQuestion:
    asked = rng.choice(list(COLOURS)), rng.choice(SHAPES)
    count = rng.randrange(1, 7)
    things = [asked] * count + [another(rng, asked) for _ in range(rng.randrange(1, 6))]
    return PictureQuestion(
        image=scattered(rng, things),
        question=f"How many {asked[0]} {asked[1]}s are in the picture?",
        choices=_NUMBERS,
        gold=count - 1,
    )


def _relation(rng: Random) -> PictureQuestion:
    first, second = (
        (colour, shape) for colour, shape in zip(rng.sample(list(COLOURS), 2), rng.sample(SHAPES, 2), strict=True)
    )
    gold = rng.randrange(4)
    image, draw = canvas()
    size, near, far = SIZE // 5, SIZE // 10, SIZE - SIZE // 10 - SIZE // 5
    across = near + rng.randrange(far - near)
    low, high = ((near, across), (far, across)) if gold < 2 else ((across, near), (across, far))
    one, other = (low, high) if gold % 2 == 0 else (high, low)
    draw_shape(draw, first[1], first[0], one, size)
    draw_shape(draw, second[1], second[0], other, size)
    return PictureQuestion(
        image=image,
        question=f"Where is the {' '.join(first)}, seen from the {' '.join(second)}?",
        choices=_SIDES,
        gold=gold,
    )


def _colour(rng: Random) -> PictureQuestion:
    colours, shapes = rng.sample(list(COLOURS), 3), rng.sample(SHAPES, 3)
    things = list(zip(colours, shapes, strict=True))
    colour, shape = rng.choice(things)
    names = tuple(COLOURS)
    return PictureQuestion(
        image=scattered(rng, things, cells=3),
        question=f"What colour is the {shape}?",
        choices=names,
        gold=names.index(colour),
    )


class DrawnScenes(Drawn):
    """Counts shapes, says where one is and what colour it has, in pictures that are drawn from the run's seed.

    What it measures. Three kinds of question, in turn: how many shapes of a colour there are (one to six), where one is
    seen from another (four sides), and the colour of one of three. As far as the questions differ, so do the kinds:
    read `acc` by `kind`.

    Why it matters. Counting and places are where models that name things well still fail, and a picture that is drawn
    from a seed is in nobody's training data.

    Limits. Flat shapes on white are like no photograph. Chance is one in six, four and six.
    """

    name = "drawn_scenes"
    default_limit = 30
    kinds: ClassVar[Sequence[tuple[str, Maker]]] = (
        ("counting", _counting),
        ("relation", _relation),
        ("colour", _colour),
    )
