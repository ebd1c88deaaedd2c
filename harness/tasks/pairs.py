"""Preferences between sentences that differ in little: which does the model find likelier?

A causal model answers with log-likelihoods, and sentences that begin alike are read once up to where they part; a
masked model answers the same requests with pseudo-log-likelihoods.
"""

from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

import numpy as np
from numpy.typing import NDArray

from harness.core import statistics
from harness.core.errors import DataError
from harness.core.metrics import Metric, Undefined
from harness.core.requests import Loglikelihood, Response
from harness.core.scores import Score
from harness.core.statistics import CONFIDENCE, Interval, Statistic, Sums
from harness.core.tasks import Row, Sample
from harness.tasks.choices import TIE
from harness.tasks.rows import RowTask

__all__ = ["Icat", "MacroPercentage", "MinimalPair", "Percentage", "likelier"]

PERCENT = 100.0


def likelier(first: float, second: float, *, slack: float = TIE) -> tuple[float, bool]:
    """1 where the first is larger, 0 where the second is, and whether it hangs on `slack`, what rounding may change.

    A tie is 0.5, so that neither rounding nor the order of the two favours one.
    """
    tie = abs(first - second) < slack
    return (0.5 if tie else float(first > second)), tie


@dataclass(frozen=True, kw_only=True)
class Percentage(Metric):
    """100 times the mean of values in [0, 1], with a score interval clustered where samples are."""

    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:  # noqa: ARG002
        """See `Metric.reduce`."""
        return statistics.scaled(
            statistics.bounded_mean(_column(scores, "value"), [score.cluster for score in scores], confidence), PERCENT
        )

    def resampled(self, scores: Sequence[Score]) -> Statistic:
        """See `Metric.resampled`."""
        return statistics.mean_of(np.array(_column(scores, "value")), PERCENT)


@dataclass(frozen=True, kw_only=True)
class MacroPercentage(Metric):
    """100 times the mean over clusters, each counting the same, of the mean of its values in [0, 1].

    The clusters are what was drawn, so the interval is a score interval over their means.
    """

    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:  # noqa: ARG002
        """See `Metric.reduce`."""
        return statistics.scaled(
            statistics.bounded_mean(_by_cluster(scores, "value").tolist(), confidence=confidence), PERCENT
        )

    def resampled(self, scores: Sequence[Score]) -> Statistic:
        """See `Metric.resampled`."""
        shares = _shares(scores)
        return statistics.ratio_of(PERCENT * shares * _column(scores, "value"), shares)


@dataclass(frozen=True, kw_only=True)
class Icat(Metric):
    """How far a model both models language and prefers no stereotype: lms * min(ss, 100 - ss) / 50, in [0, 100].

    Reads the preference (0, 0.5 or 1) from a score's `value` and the share of meaningful sentences that beat the
    unrelated one (0, 0.5 or 1) from its `weight`; both are averaged over clusters as in `MacroPercentage`. The interval
    is a bootstrap over clusters, moved by the bias that resampling shows (basic bootstrap, Davison and Hinkley, 1997)
    and cut off at 0 and 100: near ss = 50 every resample lies further off than the sample itself.
    """

    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        """See `Metric.reduce`."""
        stereotyped, meaningful = _by_cluster(scores, "value"), _by_cluster(scores, "weight")

        def icat(rows: NDArray[np.intp]) -> float:
            share = float(stereotyped[rows].mean())
            return PERCENT * float(meaningful[rows].mean()) * 2 * min(share, 1 - share)

        return statistics.basic(
            statistics.bootstrap(icat, len(stereotyped), rng=rng, confidence=confidence), low=0.0, high=PERCENT
        )

    def resampled(self, scores: Sequence[Score]) -> Statistic:
        """See `Metric.resampled`."""
        shares = _shares(scores)
        parts = np.column_stack([shares * _column(scores, "value"), shares * _column(scores, "weight"), shares])

        def of(sums: NDArray[np.float64]) -> NDArray[np.float64]:
            stereotyped, meaningful = sums[:, 0] / sums[:, 2], sums[:, 1] / sums[:, 2]
            return np.asarray(PERCENT * meaningful * 2 * np.minimum(stereotyped, 1 - stereotyped), dtype=float)

        return Sums(parts=parts, of=of)


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

    def sample(self, row: Row) -> Sample:
        """See `RowTask.sample`."""
        first, second = self.pair(row)
        if first == second:
            raise DataError("the two sentences are the same")
        return Sample(id="", prompt="", choices=(first, second), fields={"groups": dict(self.groups(row))})

    def requests(self, sample: Sample) -> Sequence[Loglikelihood]:
        """One log-likelihood for each of the two whole sentences."""
        return [Loglikelihood(context="", continuation=sentence) for sentence in sample.choices]

    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """A score for each metric, with the sample's groups."""
        blank = Score(sample_id=sample.id, metric="", cluster=sample.cluster, groups=sample.fields["groups"])
        for response in responses:
            if response.loglikelihood is None:
                reason = response.invalid or "the model gave no log-likelihood"
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


def _by_cluster(scores: Sequence[Score], field: str) -> NDArray[np.float64]:
    """The mean of each cluster; a sample without one stands alone."""
    found: dict[str, list[float]] = {}
    for cluster, value in zip(_clusters(scores), _column(scores, field), strict=True):
        found.setdefault(cluster, []).append(value)
    return np.array([np.mean(values) for values in found.values()])


def _shares(scores: Sequence[Score]) -> NDArray[np.float64]:
    """What part of its cluster each sample is: sums weighted by it are sums of the clusters' means."""
    clusters = _clusters(scores)
    sizes = Counter(clusters)
    return np.array([1 / sizes[cluster] for cluster in clusters])


def _clusters(scores: Sequence[Score]) -> list[str]:
    return [f"alone:{score.sample_id}" if score.cluster is None else f"shared:{score.cluster}" for score in scores]
