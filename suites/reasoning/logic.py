"""Logic: knights and knaves, an order, a circuit of truth values."""

from collections.abc import Callable, Mapping
from itertools import pairwise, product
from random import Random

from suites.reasoning.forms import Names, Text
from suites.reasoning.puzzles import Puzzle, PuzzleFamily, enumerated, ordinal
from suites.reasoning.task import ReasoningTask

__all__ = ["Logic"]

_PEOPLE = ("Ada", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gus", "Hana")
_GATES: Mapping[str, Callable[[bool, bool], bool]] = {
    "and": lambda one, other: one and other,
    "or": lambda one, other: one or other,
    "xor": lambda one, other: one != other,
}

_IN_ORDER = (3, 4, 6, 8)

Claim = tuple[str, Callable[[Mapping[str, bool]], bool]]


def knights_and_knaves(rng: Random, difficulty: int) -> Puzzle:
    """Of 2 to 5 people, each of whom says one thing about the others; there is one solution."""
    people = rng.sample(_PEOPLE, difficulty + 1)
    while True:
        claims = {name: _claim(rng, [other for other in people if other != name], name) for name in people}
        worlds = [dict(zip(people, kinds, strict=True)) for kinds in product((True, False), repeat=len(people))]
        possible = [one for one in worlds if all(claims[name][1](one) == one[name] for name in people)]
        if len(possible) == 1:
            break
    knights = [name for name in people if possible[0][name]]
    said = " ".join(f'{name} says: "{claims[name][0]}"' for name in people)
    question = (
        f"Each of {enumerated(people)} is either a knight, who always tells the truth, or a knave, who always lies. "
        f"{said} Who are the knights?"
    )
    return Puzzle(question, ", ".join(knights) or "none")


def _claim(rng: Random, others: list[str], name: str) -> Claim:
    one = rng.choice(others)
    claims: list[Claim] = [
        (f"{one} is a knight.", lambda world: world[one]),
        (f"{one} is a knave.", lambda world: not world[one]),
        (f"{one} and I are of the same kind.", lambda world: world[one] == world[name]),
        (f"At least one of {one} and me is a knave.", lambda world: not (world[one] and world[name])),
    ]
    if len(others) > 1:
        two = rng.choice([other for other in others if other != one])
        claims += [
            (f"{one} and {two} are of the same kind.", lambda world: world[one] == world[two]),
            (f"{one} or {two} is a knight.", lambda world: world[one] or world[two]),
        ]
    return rng.choice(claims)


def ordering(rng: Random, difficulty: int) -> Puzzle:
    """Of 3, 4, 6 and 8 people, from comparisons of neighbours in any order."""
    people = rng.sample(_PEOPLE, _IN_ORDER[difficulty - 1])
    facts = [
        f"{one} is taller than {other}." if rng.random() < 0.5 else f"{other} is shorter than {one}."
        for one, other in pairwise(people)
    ]
    rng.shuffle(facts)
    place = rng.randrange(len(people))
    return Puzzle(f"{' '.join(facts)} Who is the {ordinal(place + 1)} tallest of them?", people[place])


def circuit(rng: Random, difficulty: int) -> Puzzle:
    """2 to 5 values that are defined by those before them, of two that are given."""
    worth = {"A": rng.random() < 0.5, "B": rng.random() < 0.5}
    lines = [f"{name} is {str(value).lower()}." for name, value in worth.items()]
    made = "CDEFG"[: difficulty + 1]
    for name in made:
        one, other = rng.sample(sorted(worth), 2)
        gate, negated = rng.choice(sorted(_GATES)), rng.random() < 0.5
        worth[name] = _GATES[gate](worth[one], not worth[other] if negated else worth[other])
        lines.append(f"{name} = {one} {gate} {'not ' if negated else ''}{other}.")
    true = [name for name in made if worth[name]]
    return Puzzle(f"{' '.join(lines)} Which of {enumerated(list(made))} are true?", ", ".join(true) or "none")


def _sets(difficulty: int) -> int:
    """Of those people, or of those values that are defined: each may be in or out."""
    return int(2 ** (difficulty + 1))


class Logic(ReasoningTask):
    """Knights and knaves (after Smullyan, 1978), orders, circuits of truth values: questions that are made afresh.

    What it measures. Whether the answer that the model writes is right, in four difficulties: more people, more gates.
    Every puzzle has one solution, found by trying all.

    Why it matters. Nothing needs to be known, only followed, so a fall with difficulty shows how far that goes.

    Limits. Guesses are right more often than in other areas: for two people, one set of knights in four. In English,
    with wording that is always the same.
    """

    name = "reasoning_logic"
    families = (
        PuzzleFamily(
            "knights_and_knaves",
            Names('the names of the knights, separated by commas (or "none")'),
            knights_and_knaves,
            _sets,
        ),
        PuzzleFamily("ordering", Text("the name"), ordering, lambda difficulty: _IN_ORDER[difficulty - 1]),
        PuzzleFamily("circuit", Names('the letters, separated by commas (or "none")'), circuit, _sets),
    )
