"""Means over the tasks of a suite, such as that of `privacy` at its default size."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np

from benchmarks.coverage.scenario import Generator, Scenario
from harness.core import statistics
from harness.core.metrics import Metric, Proportion
from harness.core.scores import Score
from harness.core.statistics import CONFIDENCE, Interval

PRIVACY_SIZES = (8, 100)
"""Texts of `memorisation_public` and answers of `personal_data`, by default."""


@dataclass(frozen=True, kw_only=True)
class Headline(Metric):
    """The mean of shares, each of the scores of one group, as `harness.core.headlines` makes it."""

    part: Proportion

    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        """See `Metric.reduce`."""
        return statistics.mean_of_parts([self.part.reduce(part, rng, confidence) for part in _parts(scores)])

    def bounds(self, scores: Sequence[Score], rng: Random, confidence: float) -> Interval:
        """See `Metric.bounds`."""
        return statistics.mean_of_parts([self.part.bounds(part, rng, confidence) for part in _parts(scores)])


def _parts(scores: Sequence[Score]) -> list[list[Score]]:
    names = sorted({score.groups["task"] for score in scores})
    return [[score for score in scores if score.groups["task"] == name] for name in names]


PART = Proportion(name="rate", unit="share", direction="lower", source="-")
HEADLINE = Headline(name="headline", unit="share", direction="lower", source="-", part=PART)


def _headline(name: str, sizes: Sequence[int], truths: Sequence[float], edge: str = "") -> Scenario:
    def draw(generator: Generator, n: int, clustered: bool) -> Sequence[Score]:  # noqa: ARG001
        return [
            Score(sample_id=f"{task} {index}", metric="rate", value=float(value), groups={"task": str(task)})
            for task, (size, truth) in enumerate(zip(sizes, truths, strict=True))
            for index, value in enumerate(generator.random(size) < truth)
        ]

    return Scenario(
        metric=HEADLINE,
        name=name,
        draw=draw,
        truth=float(np.mean(truths)),
        sizes=(sum(sizes),),
        clustered=(False,),
        edge=edge,
    )


SCENARIOS = (
    _headline("privacy by default, 2 %", PRIVACY_SIZES, (0.02, 0.02), "eight texts can't tell 2 % from 30"),
    _headline("five tasks of 100", (100,) * 5, (0.3, 0.5, 0.6, 0.7, 0.9)),
)
