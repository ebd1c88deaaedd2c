"""Games: countdown, mazes, small sudokus."""

import operator
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from random import Random

from suites.reasoning.forms import Calculation, Number
from suites.reasoning.puzzles import Puzzle, PuzzleFamily, enumerated
from suites.reasoning.task import ReasoningTask

__all__ = ["Games"]

_OPERATIONS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}

Grid = list[list[int]]


def countdown(rng: Random, difficulty: int) -> Puzzle:
    """Of 2 to 5 numbers up to 10, 12, 20 and 25, to a whole target from 1 to 999."""
    highest = (10, 12, 20, 25)[difficulty - 1]
    while True:
        numbers = [rng.randint(2, highest) for _ in range(difficulty + 1)]
        text, value = str(numbers[0]), Fraction(numbers[0])
        for number in numbers[1:]:
            sign = rng.choice(sorted(_OPERATIONS))
            text, value = f"({text} {sign} {number})", _OPERATIONS[sign](value, Fraction(number))
        if value.denominator == 1 and 1 <= value < 1000:
            break
    shown = rng.sample(numbers, len(numbers))
    question = (
        f"Use each of {enumerated([str(one) for one in shown])} exactly once, with +, -, *, / and brackets, to make "
    )
    return Puzzle(f"{question}{value}.", text[1:-1], {"numbers": numbers, "target": int(value)})


def maze(rng: Random, difficulty: int) -> Puzzle:
    """The shortest way through a square of 3, 5, 6 and 7 fields a side; half of the larger ones take a detour."""
    size = (3, 5, 6, 7)[difficulty - 1]
    detour = difficulty > 1 and rng.random() < 0.5
    while True:
        rows = [["#" if rng.random() < 0.4 else "." for _ in range(size)] for _ in range(size)]
        rows[0][0], rows[-1][-1] = "S", "G"
        steps = _steps(rows)
        if steps is not None and (steps > 2 * (size - 1)) == detour:
            break
    drawn = "\n".join(" ".join(row) for row in rows)
    question = (
        "In this maze # is a wall. A step goes up, down, left or right to a field that is none. What is the smallest "
        f"number of steps from S to G?\n{drawn}"
    )
    return Puzzle(question, str(steps))


def _steps(rows: list[list[str]]) -> int | None:
    size = len(rows)
    reached, waiting = {(0, 0): 0}, deque([(0, 0)])
    while waiting:
        x, y = waiting.popleft()
        for place in ((x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)):
            inside = 0 <= place[0] < size and 0 <= place[1] < size
            if inside and rows[place[0]][place[1]] != "#" and place not in reached:
                reached[place] = reached[x, y] + 1
                waiting.append(place)
    return reached.get((size - 1, size - 1))


def mini_sudoku(rng: Random, difficulty: int) -> Puzzle:
    """One field of a sudoku of 4 by 4 with 3, 6, 8 and 10 empty fields; whatever fills it, that field is the same."""
    while True:
        whole = next(_filled([[0] * 4 for _ in range(4)], rng.sample(range(1, 5), 4)))
        rows = rng.choice(((0, 1, 2, 3), (1, 0, 3, 2), (2, 3, 0, 1), (3, 2, 1, 0)))
        whole = [whole[row] for row in rows]
        empty = rng.sample([(x, y) for x in range(4) for y in range(4)], (3, 6, 8, 10)[difficulty - 1])
        grid = [[0 if (x, y) in empty else whole[x][y] for y in range(4)] for x in range(4)]
        x, y = empty[0]
        if {found[x][y] for found in _filled(grid, range(1, 5))} == {whole[x][y]}:
            break
    signs = [["?" if (x, y) == empty[0] else str(grid[x][y] or "_") for y in range(4)] for x in range(4)]
    drawn = "\n".join(" ".join(row) for row in signs)
    question = (
        "In a sudoku of 4 by 4, each row, each column and each quarter of 2 by 2 holds the numbers 1 to 4. Which "
        f"number stands at the question mark?\n{drawn}"
    )
    return Puzzle(question, str(whole[empty[0][0]][empty[0][1]]))


def _filled(grid: Grid, numbers: "list[int] | range") -> Iterator[Grid]:
    """Every way to fill it, numbers tried in that order."""
    place = next(((x, y) for x in range(4) for y in range(4) if not grid[x][y]), None)
    if place is None:
        yield [row[:] for row in grid]
        return
    x, y = place
    taken = {*grid[x], *(row[y] for row in grid)}
    taken |= {grid[a][b] for a in range(x // 2 * 2, x // 2 * 2 + 2) for b in range(y // 2 * 2, y // 2 * 2 + 2)}
    for number in numbers:
        if number not in taken:
            grid[x][y] = number
            yield from _filled(grid, numbers)
            grid[x][y] = 0


class Games(ReasoningTask):
    """Countdown, mazes, sudokus of 4 by 4: puzzles that are made afresh, and take some search.

    What it measures. Whether the answer that the model writes is right, in four difficulties: more numbers, larger
    mazes, more empty fields. In countdown any calculation counts that uses the numbers and makes the target.

    Why it matters. Ways have to be tried and given up; a model that writes the first thing that comes fails.

    Limits. A field of a sudoku can be guessed (1 in 4), and half of the mazes have the length that their size tells. Of
    a maze only the length is asked, not the way. In English.
    """

    name = "reasoning_games"
    families = (
        PuzzleFamily("countdown", Calculation("the calculation"), countdown),
        PuzzleFamily("maze", Number("a whole number"), maze),
        PuzzleFamily("mini_sudoku", Number("a number from 1 to 4"), mini_sudoku, lambda _difficulty: 4),
    )
