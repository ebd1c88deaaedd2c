"""Snowballing: questions whose answer takes some steps, and that are answered before these are taken."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count

from typing_extensions import override

from harness.core.errors import DataError
from harness.core.metrics import Metric
from harness.core.tasks import Row, Sample, TaskSettings
from harness.metrics.written import CHANCE, by_groups
from harness.tasks.extraction import Extracted, yes_no
from harness.tasks.rows import choose_evenly
from harness.tasks.written import Written

__all__ = ["Snowballing", "is_prime", "reached", "twin_of"]

_PRIME = re.compile(r"Is (\d+) a prime number\?")
_FLIGHT = re.compile(r"from city (\w) to city (\w)\n")
_ASKED = re.compile(r"that goes from city (\w) to city (\w)\?")
_GROUPS = ("topic", "truth")
_SMALLEST_FACTOR = 7
"""Of a number that isn't prime: none shows by its last digit or the sum of its digits."""


class Snowballing(Written):
    """Yes or no where a few steps are needed: is it a prime, do the flights connect (after Zhang et al., 2024).

    What it measures. Whether the model's first word is right. The authors' questions have one answer a topic: all
    numbers are primes, no flight exists, so that a model that always says the same is all right or all wrong. Here each
    has a twin with the other answer, which is worked out: a number near by that is a product of primes from 7 up, a
    city that the same flights do reach. A twin and its question are asked together; `accuracy_all` by `topic` and
    `truth` shows which word the model prefers.

    Why it matters. Models commit to an answer, and then make up reasons for it (a factor that isn't one): the paper's
    snowball. Its beginning is measured here, the made-up reasons aren't.

    Limits. A model that is allowed to reason first does much better: `--thinking on`, or more `--max-tokens`, changes
    what is measured. Senators, the third topic, are left out: no twin of theirs can be worked out. Chance is 0.5, as
    is always saying the same. 16 questions by default: an error of up to 0.13.
    """

    name = "snowballing"
    data = "snowballing"
    default_limit = 16
    supports_fewshot = False
    max_tokens = 24
    until: Sequence[str] = ("\n",)
    metrics: Sequence[Metric] = (*by_groups(_GROUPS), CHANCE)

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """Questions and their twins, as many of each topic; an even number, at least 2."""
        topics = {index: topic for index, row in enumerate(rows) if (topic := _topic(row))}
        if not topics:
            raise DataError("holds no question on primes or flights", place=self._origin)
        pairs = None if settings.limit is None else max(1, settings.limit // 2)
        drawn = choose_evenly(list(topics.values()), replace(settings, limit=pairs), salt=self.name)
        indices = [list(topics)[rank] for rank in drawn]
        return [self._sample(index, side, row) for index in indices for side, row in _pair(rows[index])]

    def _sample(self, index: int, side: str, row: Row) -> Sample:
        return replace(self.sample(row), id=f"{index}-{side}", cluster=str(index))

    @override
    def sample(self, row: Row) -> Sample:
        truth = str(row["reference_answer"]).lower()
        return Sample(
            id="",
            prompt=f"{row['question'].strip()}\nAnswer yes or no.\nAnswer:",
            gold=truth,
            fields={"topic": _topic(row), "truth": truth},
        )

    @override
    def extract(self, sample: Sample, text: str) -> Extracted | None:
        return yes_no(text)

    @override
    def is_right(self, sample: Sample, answer: str) -> bool:
        return answer == sample.gold

    @override
    def chance(self, sample: Sample) -> float:
        """Yes or no."""
        return 1 / 2

    @override
    def groups(self, sample: Sample) -> Mapping[str, str]:
        """Its topic and what is true."""
        return {name: sample.fields[name] for name in _GROUPS}


def twin_of(row: Row) -> Row:
    """The same question with the other answer. Raises `DataError` where a row's own answer isn't true."""
    question = str(row["question"])
    if found := _PRIME.fullmatch(question):
        number = int(found[1])
        if not is_prime(number):
            raise DataError(f"{number} is no prime")
        other = next(one for one in count(number + 1) if _hides_its_factors(one))
        return {**row, "question": question.replace(found[1], str(other)), "reference_answer": "No"}
    start, end = _ASKED.search(question).groups()  # type: ignore[union-attr]  # `_topic` looked for it
    steps = reached(_FLIGHT.findall(question), start)
    if end in steps:
        raise DataError(f"flights lead from {start} to {end}")
    farthest = max(steps.values())
    other_end = min(city for city, step in steps.items() if step == farthest)
    twin = question.replace(f"goes from city {start} to city {end}?", f"goes from city {start} to city {other_end}?")
    return {**row, "question": twin, "reference_answer": "Yes"}


def reached(flights: Sequence[tuple[str, str]], start: str) -> Mapping[str, int]:
    """The cities that flights lead to from `start`, each with the least number of flights."""
    steps = {start: 0}
    for city in (queue := [start]):
        fresh = [end for begin, end in flights if begin == city and end not in steps]
        steps.update(dict.fromkeys(fresh, steps[city] + 1))
        queue += fresh
    return steps


def is_prime(number: int) -> bool:
    """By trial division: numbers are small."""
    return number > 1 and all(number % one for one in range(2, int(number**0.5) + 1))


def _hides_its_factors(number: int) -> bool:
    return not is_prime(number) and all(number % one for one in range(2, _SMALLEST_FACTOR))


def _topic(row: Row) -> str:
    question = str(row["question"])
    if _PRIME.fullmatch(question):
        return "primes"
    return "flights" if _ASKED.search(question) and _FLIGHT.search(question) else ""


def _pair(row: Row) -> Iterator[tuple[str, Row]]:
    yield "given", row
    yield "twin", twin_of(row)
