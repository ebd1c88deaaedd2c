"""Algorithms carried out by hand: sorting, counting letters, changing the base of a number."""

from random import Random

from suites.reasoning.forms import Number, Numbers, Text
from suites.reasoning.puzzles import Puzzle, PuzzleFamily
from suites.reasoning.task import ReasoningTask

__all__ = ["Algorithms"]

_WORDS = (
    *("harbour", "lantern", "meadow", "quarrel", "sparrow", "thunder"),
    *("velvet", "whisper", "orchard", "puzzle", "kitchen", "journey"),
    *("granite", "feather", "elephant", "dolphin", "cinnamon", "balloon"),
    *("avalanche", "strawberry", "mosquito", "nightingale", "bookkeeper", "committee"),
)
_BASES = {2: "binary", 8: "octal", 16: "hexadecimal"}
_FORMATS = {2: "b", 8: "o", 16: "x"}


def number_sorting(rng: Random, difficulty: int) -> Puzzle:
    """3, 5, 8 and 12 whole numbers, up or down."""
    numbers = rng.sample(range(-99 if difficulty > 1 else 1, 100), (3, 5, 8, 12)[difficulty - 1])
    down = rng.random() < 0.5
    order = "largest to smallest" if down else "smallest to largest"
    answer = ", ".join(map(str, sorted(numbers, reverse=down)))
    return Puzzle(f"Sort these numbers from {order}: {', '.join(map(str, numbers))}", answer)


def letter_counting(rng: Random, difficulty: int) -> Puzzle:
    """In 1, 2, 4 and 7 words; the letter is one of theirs."""
    words = " ".join(rng.sample(_WORDS, (1, 2, 4, 7)[difficulty - 1]))
    letter = rng.choice(sorted(set(words) - {" "}))
    return Puzzle(f'How many times does the letter "{letter}" occur in "{words}"?', str(words.count(letter)))


def base_conversion(rng: Random, difficulty: int) -> Puzzle:
    """Numbers up to 15, 63, 255 and 4,095, in base 2, 8 or 16."""
    number = rng.randint(*((4, 15), (16, 63), (64, 255), (256, 4095))[difficulty - 1])
    base = rng.choice(sorted(_BASES)) if difficulty > 1 else 2
    return Puzzle(f"Write the decimal number {number} in {_BASES[base]}.", format(number, _FORMATS[base]))


class Algorithms(ReasoningTask):
    """Sorting, counting letters, changing the base: procedures that anybody can carry out, on fresh data.

    What it measures. Whether the answer that the model writes is right, in four difficulties: more numbers, more words,
    larger numbers.

    Why it matters. A procedure that is known has only to be carried out without a slip; that letters are counted badly
    is a known effect of tokens that are longer than a letter.

    Limits. Small counts can be guessed. A sorted list with one number missing is as wrong as none. In English.
    """

    name = "reasoning_algorithms"
    families = (
        PuzzleFamily("number_sorting", Numbers("the sorted numbers, separated by commas"), number_sorting),
        PuzzleFamily("letter_counting", Number("a whole number"), letter_counting),
        PuzzleFamily("base_conversion", Text("the digits", ("0b", "0o", "0x")), base_conversion),
    )
