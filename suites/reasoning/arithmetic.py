"""Arithmetic: sums, fractions, days of the week."""

from fractions import Fraction
from random import Random

from suites.reasoning.forms import Number, Text
from suites.reasoning.puzzles import Puzzle, PuzzleFamily
from suites.reasoning.task import ReasoningTask

__all__ = ["Arithmetic"]

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_LONGEST_WAIT = (6, 30, 365, 5000)


def chain_sum(rng: Random, difficulty: int) -> Puzzle:
    """Whole numbers of as many digits as it is difficult, two more of them than that."""
    lowest, highest = 10 ** (difficulty - 1), 10**difficulty - 1
    numbers = [rng.randint(lowest, highest) for _ in range(difficulty + 1)]
    signs = ["+", *(rng.choice("+-") for _ in numbers[1:])]
    total = sum(number if sign == "+" else -number for sign, number in zip(signs, numbers, strict=True))
    text = " ".join(f"{sign} {number}" for sign, number in zip(signs, numbers, strict=True)).removeprefix("+ ")
    return Puzzle(f"What is {text}?", str(total))


def fraction_sum(rng: Random, difficulty: int) -> Puzzle:
    """Two fractions, three from difficulty 3 on, with denominators up to 4, 8, 12 and 20."""
    highest = (4, 8, 12, 20)[difficulty - 1]
    fractions = [Fraction(rng.randint(1, highest - 1), highest - rng.randint(0, 2)) for _ in range(2 + difficulty // 3)]
    text = " + ".join(map(str, fractions))
    return Puzzle(f"What is {text}, as a whole number or a fraction?", str(sum(fractions)))


def weekday(rng: Random, difficulty: int) -> Puzzle:
    """The day so many days before or after one: up to 6, 30, 365 and 5,000; before it from difficulty 2 on."""
    today, days = rng.randrange(7), rng.randint(2, _LONGEST_WAIT[difficulty - 1])
    back = difficulty > 1 and rng.random() < 0.5
    answer = _DAYS[(today - days if back else today + days) % 7]
    asked = f"was it {days} days ago" if back else f"will it be in {days} days"
    return Puzzle(f"Today is {_DAYS[today]}. Which day of the week {asked}?", answer)


class Arithmetic(ReasoningTask):
    """Sums of whole numbers, sums of fractions, days of the week: questions that are made afresh.

    What it measures. Whether the answer that the model writes is right, in four difficulties: more and longer numbers,
    larger denominators, longer waits.

    Why it matters. Calculation is the part of reasoning that can be dialled up without end, and no question is in any
    training data but by chance.

    Limits. A day of the week can be guessed (1 in 7). Nothing is told by words, so reading isn't tested. In English.
    """

    name = "reasoning_arithmetic"
    families = (
        PuzzleFamily("chain_sum", Number("a whole number"), chain_sum),
        PuzzleFamily("fraction_sum", Number("a whole number or a fraction such as 7/12"), fraction_sum),
        PuzzleFamily("weekday", Text("the name of the day"), weekday, lambda _difficulty: 7),
    )
