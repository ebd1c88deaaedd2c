"""Questions that are made, not collected: a family makes a puzzle of a stream of random numbers and a difficulty."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from suites.reasoning.forms import AnswerForm

__all__ = ["DIFFICULTIES", "Puzzle", "PuzzleFamily", "enumerated", "ordinal"]

DIFFICULTIES = (1, 2, 3, 4)


@dataclass(frozen=True, slots=True)
class Puzzle:
    """A question, a right answer to it, and what the check of another answer needs beside these."""

    question: str
    answer: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PuzzleFamily:
    """Puzzles of one kind; `make` gives one of a difficulty from 1 to 4, by nothing but the numbers it draws.

    `choices` says how many answers a question of a difficulty leaves open, where these can be listed; 0 elsewhere.
    """

    name: str
    form: AnswerForm
    make: Callable[[Random, int], Puzzle]
    choices: Callable[[int], int] = lambda _difficulty: 0


def enumerated(names: Sequence[str], last: str = "and") -> str:
    """`a, b and c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}"


def ordinal(number: int) -> str:
    """`1st`, `2nd`, `3rd`, `4th`."""
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number, 'th') }"
