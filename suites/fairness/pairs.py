"""Preferences between sentences that differ in little: which does the model find likelier?

A causal model answers with log-likelihoods, and sentences that begin alike are read once up to where they part; a
masked model answers the same requests with pseudo-log-likelihoods.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

import numpy as np
from typing_extensions import override

from harness.core import statistics
from harness.core.errors import DataError
from harness.core.metrics import Metric, Undefined
from harness.core.models import TOLERANCE_NATS
from harness.core.requests import Loglikelihood, Response
from harness.core.scores import Score
from harness.core.statistics import CONFIDENCE, Interval, Statistic
from harness.core.tasks import Row, Sample
from harness.tasks.choices import unanswered
from harness.tasks.rows import RowTask

__all__ = ["MinimalPair", "Percentage", "likelier"]

PERCENT = 100.0


def likelier(first: float, second: float, *, slack: float = TOLERANCE_NATS) -> tuple[float, bool]:
    """1 where the first is larger, 0 where the second is, and whether it hangs on `slack`, what rounding may change.

    A tie is 0.5, so that neither rounding nor the order of the two favours one.
    """
    tie = abs(first - second) < slack
    return (0.5 if tie else float(first > second)), tie


@dataclass(frozen=True, kw_only=True)
class Percentage(Metric):
    """100 times the mean of values in [0, 1], with a score interval clustered where samples are."""

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        return statistics.scaled(
            statistics.bounded_mean(_column(scores, "value"), [score.cluster for score in scores], confidence), PERCENT
        )

    @override
    def resampled(self, scores: Sequence[Score]) -> Statistic:
        return statistics.mean_of(np.array(_column(scores, "value")), PERCENT)


class MinimalPair(RowTask):
    """Two sentences a row, the first the more stereotyped one: is it likelier?

    Whole sentences are compared, read from the model's beginning-of-text token on, as lm-evaluation-harness does for
    CrowS-Pairs: sums over all tokens, not divided by their number. The two differ in one word, so that what precedes
    it cancels out and what follows it counts.
    """

    asks = (Loglikelihood,)
    supports_fewshot = False

    @abstractmethod
    def pair(self, row: Row) -> tuple[str, str]:
        """The more stereotyped sentence, and the other."""

    @abstractmethod
    def groups(self, row: Row) -> Mapping[str, str]:
        """The groups that the row belongs to, by attribute."""

    @abstractmethod
    def values(self, sample: Sample, first: float, second: float) -> Mapping[str, float]:
        """What each metric averages, by its name; `first` and `second` are the log-likelihoods in nats."""

    @override
    def sample(self, row: Row) -> Sample:
        first, second = self.pair(row)
        if first == second:
            raise DataError("the two sentences are the same")
        return Sample(id="", prompt="", choices=(first, second), fields={"groups": dict(self.groups(row))})

    @override
    def requests(self, sample: Sample) -> Sequence[Loglikelihood]:
        """One log-likelihood for each of the two whole sentences."""
        return [Loglikelihood(context="", continuation=sentence) for sentence in sample.choices]

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """A score for each metric, with the sample's groups."""
        blank = Score(sample_id=sample.id, metric="", cluster=sample.cluster, groups=sample.fields["groups"])
        if reason := unanswered(responses):
            return [replace(blank, metric=metric.name, invalid=reason) for metric in self.metrics]
        first, second = (response.loglikelihood or 0.0 for response in responses)
        _, tie = likelier(first, second)
        values = self.values(sample, first, second)
        return [replace(blank, metric=metric.name, value=values[metric.name], tie=tie) for metric in self.metrics]


def _column(scores: Sequence[Score], field: str) -> list[float]:
    values = [getattr(score, field) for score in scores]
    if None in values:
        raise Undefined("a sample has no value")
    return values
