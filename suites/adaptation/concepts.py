"""Concepts that nobody can know before they are shown: rules over made-up words, and made-up names."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from itertools import pairwise
from random import Random
from typing import ClassVar

from typing_extensions import override

from harness.core.tasks import Row, Sample, TaskSettings
from harness.core.text.hashing import digest
from suites.adaptation.curve import AdaptationTask, arms_of

__all__ = ["Concept", "MadeUpNames", "MadeUpRules"]

WHOLE = 200
"""Concepts of a task where no limit is given; there is no end to what could be made up."""
_DIGESTED = 6
_VOWELS, _CONSONANTS = "aeiou", "bdfgklmnprstvz"

Rule = Callable[[str], bool]


class Concept(AdaptationTask):
    """A task of which each sample is a concept of its own, with exemplars of its own.

    Everything is drawn from the run's seed and the number of the concept. Each class is as likely as any other, among
    exemplars and questions alike, and its name says nothing of it: without exemplars the right answer can't be known.
    """

    data = None
    classes: ClassVar[int]

    @abstractmethod
    def members(self, rng: Random) -> Callable[[Random, int], str]:
        """A concept: what gives a thing of each of its classes, counted from 0."""

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """As many concepts as the limit says, 200 without one."""
        limit = WHOLE if settings.limit is None else settings.limit
        pinned = [self._drawn(index, settings) for index in range(_DIGESTED)]
        self.data_digest = digest(
            [[one.prompt, one.choices, one.gold, one.fields["arms"][1].exemplars] for one in pinned]
        )
        return [pinned[index] if index < _DIGESTED else self._drawn(index, settings) for index in range(limit)]

    def _drawn(self, index: int, settings: TaskSettings) -> Sample:
        rng = Random(f"{settings.seed}:{self.name}:{index}")
        member = self.members(rng)
        labels = _words(rng, self.classes, 2)
        things: dict[str, int] = {}
        while len(things) <= self.shots[-1]:
            label = rng.randrange(self.classes)
            things.setdefault(member(rng, label), label)
        (asked, gold), *shown = reversed(things.items())
        exemplars = [(_question(thing), labels[label]) for thing, label in shown]
        randomly = [(_question(thing), rng.choice(labels)) for thing, _ in shown]
        sample = Sample(
            id=f"{settings.seed}-{index}", prompt=_question(asked), choices=tuple(labels), gold=gold, cluster=None
        )
        return self.posed(sample, arms_of([exemplars], randomly, self.shots, rng), settings)


class MadeUpRules(Concept):
    """Learns from exemplars a rule that sorts made-up words into two made-up classes.

    What it measures. Each question has a rule of its own, drawn from the run's seed: what a word begins or ends with,
    whether a letter is in it, whether a letter is doubled, how long it is. The rule is never said; up to 32 words are
    shown with the names of their classes, and the class of another is asked for. `shots_acc` by number of exemplars,
    the area under that curve, the gain a doubling.

    Why it matters. Words, classes and rules are made up, so nothing but the exemplars can tell: what is above chance is
    learnt, here and now.

    Limits. Rules over letters are hard for models that read words as whole tokens. Chance is 0.5, at 0 exemplars
    exactly; after random answers, too. 12 rules by default: an error of 0.14 for each number of exemplars.
    """

    name = "made_up_rules"
    default_limit = 12
    classes = 2

    @override
    def members(self, rng: Random) -> Callable[[Random, int], str]:
        rule = _rule(rng)

        def member(rng: Random, label: int) -> str:
            while True:
                word = _word(rng, rng.randrange(2, 4))
                if rng.random() < 0.4:
                    at = rng.randrange(len(word))
                    word = word[: at + 1] + word[at:]
                if rule(word) == bool(label):
                    return word

        return member


class MadeUpNames(Concept):
    """Learns from exemplars what made-up words mean: four names for animals, foods, tools and clothes.

    What it measures. In each question the four kinds of thing have other made-up names, drawn from the run's seed. Up
    to 32 things are shown with their kind's name, and that of another thing is asked for. `shots_acc` by number of
    exemplars, the area under that curve, the gain a doubling.

    Why it matters. The kinds are known to any model, their names to none: it has to bind a new word to what it knows,
    as with labels whose words say nothing (Wei et al., 2023).

    Limits. English words for common things. Chance is 0.25, at 0 exemplars exactly; after random answers, too. 12
    questions by default: an error of 0.14 for each number of exemplars.
    """

    name = "made_up_names"
    default_limit = 12
    classes = 4

    @override
    def members(self, rng: Random) -> Callable[[Random, int], str]:
        kinds = [things.split() for things in rng.sample(_KINDS, self.classes)]

        def member(rng: Random, label: int) -> str:
            return rng.choice(kinds[label])

        return member


_KINDS = (
    """
    horse goat rabbit eagle salmon beetle lizard camel otter crow wolf sheep mouse whale spider donkey goose tiger
    squirrel frog
    """,
    """
    bread cheese soup rice butter noodles pancake honey salad pudding porridge omelette sausage yoghurt biscuit dumpling
    lentils jam stew pie
    """,
    """
    hammer saw drill pliers shovel wrench chisel axe rake screwdriver scissors ladder file anvil trowel crowbar clamp
    sickle mallet spade
    """,
    """
    shirt trousers coat scarf glove sock skirt jacket hat sweater boot apron dress belt cardigan sandal vest cap slipper
    robe
    """,
)


def _rule(rng: Random) -> Rule:
    """One of five families, which splits words that are made by chance into parts that both occur."""
    letter = rng.choice(_CONSONANTS)
    half = frozenset(rng.sample(_CONSONANTS, len(_CONSONANTS) // 2))
    vowels = frozenset(rng.sample(_VOWELS, 2))
    rules: Sequence[Rule] = (
        lambda word: word[0] in half,
        lambda word: word[-1] in vowels,
        lambda word: letter in word,
        lambda word: any(one == other for one, other in pairwise(word)),
        lambda word: len(word) > 5,
    )
    return rng.choice(rules)


def _word(rng: Random, syllables: int) -> str:
    return "".join(rng.choice(_CONSONANTS) + rng.choice(_VOWELS) for _ in range(syllables))


def _words(rng: Random, count: int, syllables: int) -> list[str]:
    """Made-up words, no two of them alike."""
    found: dict[str, None] = {}
    while len(found) < count:
        found.setdefault(_word(rng, syllables))
    return list(found)


def _question(thing: str) -> str:
    return f"Word: {thing}\nName:"
