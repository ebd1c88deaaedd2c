"""Algebra: an equation, two equations, a derivative."""

from random import Random

from suites.reasoning.forms import Expression, Number, Numbers
from suites.reasoning.puzzles import Puzzle, PuzzleFamily
from suites.reasoning.task import ReasoningTask

__all__ = ["Algebra"]


def linear_equation(rng: Random, difficulty: int) -> Puzzle:
    """With x on one side, on both, in a bracket, in two brackets; the solution is a whole number."""
    x, first, inner = rng.randint(-9, 9), rng.randint(2, 9), rng.randint(1, 9)
    second = rng.choice([n for n in range(2, 10) if n != first])
    if difficulty == 1:
        left, right = f"{first}x + {inner}", f"{first * x + inner}"
    elif difficulty == 2:
        left, right = f"{first}x + {inner}", _sum((second, "x"), ((first - second) * x + inner, ""))
    elif difficulty == 3:
        left, right = f"{first}(x + {inner})", _sum((second, "x"), (first * (x + inner) - second * x, ""))
    else:
        third, other = rng.choice([n for n in range(2, 12) if n not in (first, second)]), rng.randint(1, 9)
        left = f"{first}(x + {inner}) - {second}(x - {other})"
        worth = first * (x + inner) - second * (x - other)
        slope = third if third != first - second else -third
        right = _sum((slope, "x"), (worth - slope * x, ""))
    return Puzzle(f"Solve for x: {left} = {right}", str(x))


def linear_system(rng: Random, difficulty: int) -> Puzzle:
    """Two equations in x and y with coefficients up to 1, 3, 6 and 12 in size; the solution is of whole numbers."""
    highest = (1, 3, 6, 12)[difficulty - 1]
    x, y = rng.randint(-9, 9), rng.randint(-9, 9)
    sizes = [n for n in range(-highest, highest + 1) if n]
    while True:
        a, b, c, d = (rng.choice(sizes) for _ in range(4))
        if a * d != b * c:
            break
    equations = [f"{_sum((one, 'x'), (two, 'y'))} = {one * x + two * y}" for one, two in ((a, b), (c, d))]
    return Puzzle(f"What are x and y if {equations[0]} and {equations[1]}?", f"{x}, {y}")


def derivative(rng: Random, difficulty: int) -> Puzzle:
    """Of a polynomial whose degree is one more than its difficulty."""
    powers = range(difficulty + 1, -1, -1)
    factors = [rng.choice([n for n in range(-9, 10) if n]) for _ in powers]
    text = _sum(*((factor, _power(power)) for factor, power in zip(factors, powers, strict=True)))
    found = [(factor * power, _power(power - 1)) for factor, power in zip(factors, powers, strict=True) if power]
    return Puzzle(f"What is the derivative of {text} with respect to x?", _sum(*found))


def _power(power: int) -> str:
    return {0: "", 1: "x"}.get(power, f"x^{power}")


def _sum(*terms: tuple[int, str]) -> str:
    """`2x - 3` of (2, "x") and (-3, ""); what counts 0 is left out."""
    text = ""
    for factor, name in terms:
        if not factor:
            continue
        size = "" if abs(factor) == 1 and name else str(abs(factor))
        sign = ("-" if factor < 0 else "") if not text else (" - " if factor < 0 else " + ")
        text += f"{sign}{size}{name}"
    return text or "0"


class Algebra(ReasoningTask):
    """Linear equations in one and two unknowns, derivatives of polynomials: questions that are made afresh.

    What it measures. Whether the answer that the model writes is right, in four difficulties: more terms and brackets,
    larger coefficients, higher degrees.

    Why it matters. A solution has to be worked out step by step and can be checked without doubt: an expression counts
    as right if it is worth the same everywhere, however it is written.

    Limits. All solutions are whole numbers. Pairs are asked for in an order, and in another they are wrong. In English.
    """

    name = "reasoning_algebra"
    families = (
        PuzzleFamily("linear_equation", Number("the value of x"), linear_equation),
        PuzzleFamily(
            "linear_system", Numbers("the values of x and y in this order, separated by a comma"), linear_system
        ),
        PuzzleFamily("derivative", Expression("the derivative", ("x",)), derivative),
    )
