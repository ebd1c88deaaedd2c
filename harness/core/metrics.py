"""How per-sample scores become an estimate. A metric knows its unit, its optimum, its source and its error."""

import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import ClassVar, Literal

import numpy as np
from typing_extensions import override

from harness.core import statistics
from harness.core.pairing import Pairs, over_pairs
from harness.core.scores import Basis, Direction, SampleGroup, Score
from harness.core.statistics import CONFIDENCE, RESAMPLES, Difference, Interval, Statistic, two_sided
from harness.core.text.reasons import Reason

__all__ = ["Mean", "MeanShare", "Metric", "PerUnit", "Proportion", "Transform", "Undefined", "salt"]

Transform = Literal["exp", "bits", "plain"]
"""What is made of a ratio: of nats per unit a perplexity, or bits per unit; or it stays as it is."""

_TRANSFORMS: Mapping[Transform, tuple[Callable[[float], float], Callable[[float], float]]] = {
    "exp": (math.exp, math.exp),
    "bits": (lambda nats: nats / math.log(2), lambda _nats: 1 / math.log(2)),
    "plain": (lambda ratio: ratio, lambda _ratio: 1.0),
}
"""Each transform, which is increasing, and its derivative."""


class Undefined(Exception):  # noqa: N818 - not an error: it becomes the reason of an absent estimate
    """A metric has no value on these samples; the message is the reason."""

    @property
    def reason(self) -> str:
        """Why, as it was given: a `Reason` can be said in other languages."""
        return self.args[0] if self.args and isinstance(self.args[0], str) else str(self)


@dataclass(frozen=True, kw_only=True)
class Metric(ABC):
    """Reduces the scores of a task to one value with its error.

    `source` cites where the metric is defined. Either `direction` or `target` is given. Beside the estimate over
    all samples there is one for each value of each attribute of `by`; a group with fewer than `smallest_group`
    samples has none, with its n as the reason. Where `main_group` names a value of such an attribute, the
    estimate over all samples is of that group alone, such as of one method of several. `lowest` and `highest` are the
    ends of what its value can be, None for an end that there isn't: no interval reaches beyond them. `chance` is what
    guessing would score, for readers alone: "choices" where that is one over the number of choices, which may differ
    from sample to sample, "indifference" where it is one less that (the Brier score of the same probability for each);
    None where guessing has no meaning.

    `meaning` says what the value tells, its formula, its direction and its limits, for pages and reports; where none is
    given, it is the docstring of the metric's class. (Those of this module say how a value is made, not what it means:
    a metric of theirs says so itself.)
    """

    averages_values: ClassVar[bool] = False
    """Whether it rises and falls with the value of each score, so that one that is missing can count as the worst."""

    name: str
    unit: str
    source: str
    direction: Direction | None = None
    target: float | None = None
    basis: Basis = "measured"
    by: tuple[str, ...] = ()
    main_group: Mapping[str, str] = field(default_factory=dict)
    smallest_group: int = 10
    lowest: float | None = None
    highest: float | None = None
    chance: float | Literal["choices", "indifference"] | None = field(default=None, compare=False)
    meaning: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "meaning", inspect.cleandoc(self.meaning or _own_text(type(self))))
        if (self.direction is None) == (self.target is None):
            raise ValueError(f"{self.name}: a metric has either a direction or a target")

    @property
    def right_value(self) -> float | None:
        """What a sample that is right scores where all score 0 or 1; None of a metric with a target of its own."""
        return right_value(self.direction)

    @property
    def score_range(self) -> tuple[float | None, float | None]:
        """The ends of what the value of a single score can be: those of the metric, by default."""
        return self.lowest, self.highest

    @property
    def signature(self) -> str:
        """What else decides its values, in the manner of sacrebleu: `key:value` joined by bars; empty by default."""
        return ""

    @property
    def scripts(self) -> Sequence[Path]:
        """Python files of the user's that compute it; none by default."""
        return ()

    @abstractmethod
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        """Value and error of at least one valid score; the interval is two-sided, of that `confidence`.

        Raises `Undefined` where there is no value.
        """

    def bounds(self, scores: Sequence[Score], rng: Random, confidence: float) -> Interval:
        """What a gate decides by: as `reduce`, where each end alone is a bound of that one-sided `confidence`."""
        return self.reduce(scores, rng, two_sided(confidence))

    def difference(
        self, pairs: Pairs, rng: Random, confidence: float = CONFIDENCE, resamples: int = RESAMPLES
    ) -> Difference:
        """By how much the second of two runs lies above the first, both of the same samples, none of them invalid.

        The interval is two-sided, of that `confidence`. By default both are resampled together (Koehn, 2004); a metric
        that has a better way uses it here, once for tables, gates and boards. Raises `Undefined`, with the reason,
        where there is no difference.
        """
        first, second = (
            self.resampled([score for score in side if score is not None]) for side in (pairs.first, pairs.second)
        )
        if first is None or second is None:
            raise Undefined(Reason("{metric} can't be recomputed on resamples", metric=self.name))
        before, after = over_pairs(first, pairs.first), over_pairs(second, pairs.second)
        found = statistics.paired_bootstrap(
            before, after, len(pairs), rng=rng, clusters=pairs.clusters, resamples=resamples, confidence=confidence
        )
        span = None if self.lowest is None or self.highest is None else self.highest - self.lowest
        return statistics.with_rare_changes(found, before, pairs.changed(), pairs.clusters, confidence, span)

    def resampled(self, scores: Sequence[Score]) -> Statistic | None:  # noqa: ARG002
        """The value on any resample of at least one valid score, by the scores' indices; that of all is `reduce`'s.

        Two runs are compared by it, on the same resamples. None, the default, where a metric offers none: then its
        differences have no paired test. Raises `Undefined` as `reduce` does.
        """
        return None


@dataclass(frozen=True, kw_only=True)
class Mean(Metric):
    """The mean of the values, by default with a t interval that is corrected for skewness.

    Where both ends of what a value can be are known, it is a score interval, which never has zero width; a gate decides
    zeros and ones by exact bounds. See `statistics.mean`.
    """

    averages_values: ClassVar[bool] = True

    def ends(self, values: Sequence[float]) -> tuple[float | None, float | None]:  # noqa: ARG002
        """The ends of what a value can be."""
        return self.score_range

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        values = _values(scores)
        lowest, highest = self.ends(values)
        return statistics.mean(values, _clusters(scores), confidence, lowest=lowest, highest=highest)

    @override
    def bounds(self, scores: Sequence[Score], rng: Random, confidence: float) -> Interval:
        values = _values(scores)
        if self.ends(values) == (0, 1) and set(values) <= {0, 1}:
            return statistics.exact_proportion(values, _clusters(scores), two_sided(confidence))
        return self.reduce(scores, rng, two_sided(confidence))

    @override
    def difference(
        self, pairs: Pairs, rng: Random, confidence: float = CONFIDENCE, resamples: int = RESAMPLES
    ) -> Difference:
        if None in (*pairs.first, *pairs.second):
            return super().difference(pairs, rng, confidence, resamples)
        first, second = (_values([score for score in side if score]) for side in (pairs.first, pairs.second))
        lowest, highest = self.ends([*first, *second])
        return statistics.paired_difference(first, second, pairs.clusters, confidence, lowest=lowest, highest=highest)

    @override
    def resampled(self, scores: Sequence[Score]) -> Statistic:
        return statistics.mean_of(np.array(_values(scores)))


@dataclass(frozen=True, kw_only=True)
class MeanShare(Mean):
    """The mean of values that may be shares: where all lie in [0, 1], that is taken for what they can be."""

    @override
    def ends(self, values: Sequence[float]) -> tuple[float | None, float | None]:
        return (0.0, 1.0) if all(0 <= value <= 1 for value in values) else self.score_range


@dataclass(frozen=True, kw_only=True)
class Proportion(Mean):
    """The share of samples whose value is 1. Raises `ValueError` for values other than 0 and 1."""

    lowest: float | None = 0.0
    highest: float | None = 1.0

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        return statistics.proportion(_values(scores), _clusters(scores), confidence)


@dataclass(frozen=True, kw_only=True)
class PerUnit(Metric):
    """`transform` of the sum of values over the sum of weights, such as exp(nats per token).

    The interval is that of the ratio, transformed at its ends; the standard error follows by the delta method. Where
    no value is below 0 the ratio can't be either, so its interval is cut off there (and that of a perplexity at 1).
    Where an end of the interval is too large for a number, there is no interval.
    """

    transform: Transform

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        weights = [score.weight for score in scores]
        if sum(weights) <= 0:
            raise Undefined("nothing to divide by: the weights of all samples sum to 0")
        values = _values(scores)
        lowest = 0.0 if min(values) >= 0 else None
        plain = statistics.ratio(values, weights, _clusters(scores), confidence, lowest=lowest)
        transform, derivative = _TRANSFORMS[self.transform]
        try:
            value = transform(plain.value)
        except OverflowError as error:
            raise Undefined(
                Reason("too large for a number (computed from {value})", value=f"{plain.value:.6g}")
            ) from error
        if plain.stderr is None or plain.low is None or plain.high is None:
            return replace(plain, value=value)
        try:
            low, high = transform(plain.low), transform(plain.high)
            stderr = plain.stderr * derivative(plain.value)
        except OverflowError:
            return Interval(value=value, stderr=None, low=None, high=None, method=None)
        return Interval(value=value, stderr=stderr, low=low, high=high, method=plain.method)

    def of_one(self, value: float, weight: float) -> float:
        """The metric of a single score, by its value and weight; NaN where it isn't defined or is too large."""
        return _safely(_TRANSFORMS[self.transform][0])(value / weight) if weight > 0 else math.nan

    @override
    def resampled(self, scores: Sequence[Score]) -> Statistic:
        weights = np.array([score.weight for score in scores])
        transform, derivative = map(_safely, _TRANSFORMS[self.transform])
        values = np.array(_values(scores))
        return statistics.ratio_of(values, weights, np.vectorize(transform, otypes=[float]), derivative)


def right_value(direction: str | None) -> float | None:
    """What a sample that is right scores, of a metric of zeros and ones that is better in that direction, if in any."""
    return None if direction is None else 0.0 if direction == "lower" else 1.0


def salt(seed: int, suite: str, task: str, metric: str, group: SampleGroup | None = None) -> str:
    """What the random numbers of an estimate are seeded by: the same for a table and for a gate."""
    return f"{seed}:{suite}:{task}:{metric}" + (f":{group}" if group else "")


def _safely(function: Callable[[float], float]) -> Callable[[float], float]:
    """NaN where its value is too large for a number."""

    def safe(ratio: float) -> float:
        try:
            return function(ratio)
        except OverflowError:
            return math.nan

    return safe


def _own_text(kind: type[Metric]) -> str:
    """The docstring of a metric's class, unless `dataclass` wrote it; nothing of those of this module."""
    text = kind.__doc__ or ""
    return "" if kind.__module__ == __name__ or text.startswith(f"{kind.__name__}(") else text


def _values(scores: Sequence[Score]) -> list[float]:
    lacking = next((score for score in scores if score.value is None), None)
    if lacking is not None:
        raise Undefined(lacking.remark or "a sample has no value")
    return [score.value for score in scores if score.value is not None]


def _clusters(scores: Sequence[Score]) -> list[str | None]:
    return [score.cluster for score in scores]
