"""Charts and tables: what a reader takes from them."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import ClassVar

from PIL import Image

from suites.vision.drawn import COLOURS, SIZE, Drawn, Maker, canvas, font, shuffled
from suites.vision.looking import PictureQuestion

__all__ = ["DrawnFigures"]

_BARS = "ABCDE"
_COLUMNS, _ROWS = "XYZ", "123"
_BASE, _TOP, _LEFT = SIZE - 30, 14, 30


def _tallest(rng: Random) -> PictureQuestion:
    heights = dict(zip(_BARS, rng.sample(range(1, 11), len(_BARS)), strict=True))
    return PictureQuestion(
        image=_chart(rng, heights),
        question="Which bar is the tallest?",
        choices=tuple(_BARS),
        gold=max(range(len(_BARS)), key=lambda index: heights[_BARS[index]]),
    )


def _height(rng: Random) -> PictureQuestion:
    heights = dict(zip(_BARS, rng.sample(range(1, 11), len(_BARS)), strict=True))
    bar = rng.choice(_BARS)
    others = [str(heights[one]) for one in rng.sample([one for one in _BARS if one != bar], 3)]
    choices, gold = shuffled(rng, str(heights[bar]), others)
    return PictureQuestion(
        image=_chart(rng, heights), question=f"What is the value of bar {bar}?", choices=choices, gold=gold
    )


def _cell(rng: Random) -> PictureQuestion:
    numbers = [str(number) for number in rng.sample(range(10, 100), len(_COLUMNS) * len(_ROWS))]
    image, draw = canvas()
    step = SIZE // 4
    for index in range(1, 4):
        draw.line((index * step, 8, index * step, SIZE - 8), fill="black")
        draw.line((8, index * step, SIZE - 8, index * step), fill="black")
        middle = index * step + step // 2
        draw.text((middle, step // 2), _COLUMNS[index - 1], fill="black", font=font(22), anchor="mm")
        draw.text((step // 2, middle), _ROWS[index - 1], fill="black", font=font(22), anchor="mm")
    cells = [(row, column) for row in range(3) for column in range(3)]
    for (row, column), number in zip(cells, numbers, strict=True):
        place = ((column + 1) * step + step // 2, (row + 1) * step + step // 2)
        draw.text(place, number, fill="black", font=font(22), anchor="mm")
    asked = rng.randrange(len(cells))
    row, column = cells[asked]
    others = rng.sample([number for number in numbers if number != numbers[asked]], 3)
    choices, gold = shuffled(rng, numbers[asked], others)
    question = f"Which number stands in row {_ROWS[row]}, column {_COLUMNS[column]}?"
    return PictureQuestion(image=image, question=question, choices=choices, gold=gold)


def _chart(rng: Random, heights: Mapping[str, int]) -> Image.Image:
    image, draw = canvas()
    scale = (_BASE - _TOP) / 10
    for tick in range(0, 11, 2):
        y = _BASE - tick * scale
        draw.line((_LEFT - 4, y, SIZE - 6, y), fill=(215, 215, 215))
        draw.text((_LEFT - 7, y), str(tick), fill="black", font=font(12), anchor="rm")
    width = (SIZE - _LEFT - 10) // len(heights)
    colour = COLOURS[rng.choice(list(COLOURS))]
    for index, (name, height) in enumerate(heights.items()):
        left = _LEFT + index * width + 5
        draw.rectangle((left, _BASE - height * scale, left + width - 10, _BASE), fill=colour)
        draw.text((left + width // 2 - 5, _BASE + 12), name, fill="black", font=font(15), anchor="mm")
    return image


class DrawnFigures(Drawn):
    """Reads bar charts and tables that are drawn from the run's seed.

    What it measures. Three kinds of question, in turn: which of five bars is the tallest, the value of one of them by
    the axis, and the number in a cell of a table. Wrong choices are other values of the same figure, so to read any
    number isn't enough. Read `acc` by `kind`.

    Why it matters. Figures are what documents are asked about, and here every number is known exactly.

    Limits. Plain charts without ink to distract. Chance is one in five, four and four.
    """

    name = "drawn_figures"
    default_limit = 30
    kinds: ClassVar[Sequence[tuple[str, Maker]]] = (("tallest", _tallest), ("height", _height), ("cell", _cell))
