"""Geometry: angles, areas of polygons, parts of circles."""

import math
from fractions import Fraction
from itertools import pairwise
from random import Random

from suites.reasoning.forms import Number
from suites.reasoning.puzzles import Puzzle, PuzzleFamily, enumerated
from suites.reasoning.task import ReasoningTask

__all__ = ["Geometry"]

_SHAPES = ("triangle", "quadrilateral", "pentagon", "hexagon")

Point = tuple[int, int]


def angles(rng: Random, difficulty: int) -> Puzzle:
    """The last angle of a convex polygon of 3 to 6 corners."""
    corners = difficulty + 2
    total = 180 * (corners - 2)
    while True:
        given = [rng.randint(20, 170) for _ in range(corners - 1)]
        if 10 <= total - sum(given) < 180:
            break
    told = enumerated([f"{one} degrees" for one in given])
    question = f"All angles of a convex {_SHAPES[difficulty - 1]} but one are {told}. How many degrees is the last one?"
    return Puzzle(question, str(total - sum(given)))


def polygon_area(rng: Random, difficulty: int) -> Puzzle:
    """Of a simple polygon of 3 to 6 corners on a grid, by the shoelace formula."""
    corners = difficulty + 2
    while True:
        points = [
            (rng.randint(-4 * difficulty, 4 * difficulty), rng.randint(0, 4 * difficulty)) for _ in range(corners)
        ]
        around = _star(points)
        if around:
            break
    pairs = zip(around, [*around[1:], around[0]], strict=True)
    area = Fraction(abs(sum(a * d - b * c for (a, b), (c, d) in pairs)), 2)
    text = enumerated([f"({x}, {y})" for x, y in around])
    return Puzzle(f"What is the area of the polygon whose corners are, in order, {text}?", _decimal(area))


def _star(points: list[Point]) -> list[Point] | None:
    """The points in the order of their angles around their middle; None where two have the same, or it is a corner."""
    count = len(points)
    x, y = (Fraction(sum(values), count) for values in zip(*points, strict=True))
    if any(a == x and b == y for a, b in points):
        return None
    turns = sorted((round(math.atan2(b - y, a - x), 9), (a, b)) for a, b in points)
    gaps = [later[0] - sooner[0] for sooner, later in pairwise(turns)]
    if min(gaps) < 0.01 or max(*gaps, 2 * math.pi - sum(gaps)) >= math.pi - 0.01:
        return None
    return [point for _, point in turns]


def circle(rng: Random, difficulty: int) -> Puzzle:
    """A circle, half or quarter of one, any sector, a sector of a ring: its area in units of pi."""
    radius, inner = 2 * rng.randint(1, 6), 0
    angle = {1: 360, 2: rng.choice((90, 180))}.get(difficulty, 15 * rng.randint(1, 23))
    what = {1: f"a circle of radius {radius}"}.get(
        difficulty, f"a sector of {angle} degrees of a circle of radius {radius}"
    )
    if difficulty == 4:
        inner = rng.randint(1, radius - 1)
        what = f"the part between the radii {inner} and {radius} of a sector of {angle} degrees of a circle"
    area = Fraction(angle, 360) * (radius**2 - inner**2)
    return Puzzle(f"The area of {what} is k times pi. What is k?", str(area))


def _decimal(area: Fraction) -> str:
    return str(area) if area.denominator == 1 else str(float(area))


class Geometry(ReasoningTask):
    """Angles and areas of polygons, parts of circles: questions that are made afresh.

    What it measures. Whether the answer that the model writes is right, in four difficulties: more corners, larger
    coordinates, parts of rings.

    Why it matters. A fact (the sum of the angles, the area of a circle) has to be recalled and then used without a
    slip.

    Limits. Shapes are told by numbers: nothing is seen or drawn. Values are exact, so a rounded one is wrong. In
    English.
    """

    name = "reasoning_geometry"
    families = (
        PuzzleFamily("angles", Number("a whole number"), angles),
        PuzzleFamily("polygon_area", Number("a number"), polygon_area),
        PuzzleFamily("circle", Number("a whole number or a fraction such as 7/2"), circle),
    )
