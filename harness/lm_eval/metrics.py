"""lm-eval's metrics as ours: its own value for each document, its own aggregation, our errors.

lm-eval gives a metric one value per document, which may be a number, a pair such as (gold, predicted) or
(log-likelihood, words), or something of the task's own. Each metric here says which fields of a `Score` hold that
value, and makes the same aggregate from them.
"""

import json
import math
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Real
from random import Random
from typing import Any

import numpy as np
from lm_eval.api import metrics
from numpy.typing import NDArray
from typing_extensions import override

from harness.core import statistics
from harness.core.metrics import Metric, PerUnit, Undefined
from harness.core.scores import Score
from harness.core.statistics import CONFIDENCE, Interval, Statistic
from harness.core.text.reasons import Reason
from harness.metrics.standard import BITS_PER_BYTE, WORD_PERPLEXITY

__all__ = ["LmEvalMetric", "adopt"]

Aggregation = Callable[[Sequence[Any]], float]

_UNITS = {
    **dict.fromkeys(("acc", "acc_norm", "acc_bytes", "acc_mutual_info", "exact_match"), "share"),
    "word_perplexity": "per word",
    "byte_perplexity": "per byte",
    "bits_per_byte": "bits/byte",
    "perplexity": "per target",
    "f1": "F1",
    "mcc": "MCC",
    "brier_score": "Brier score",
    **dict.fromkeys(("bleu", "chrf", "chrf++", "ter"), "out of 100"),
}

_PER_UNIT = {
    metrics.perplexity: WORD_PERPLEXITY,
    metrics.weighted_perplexity: WORD_PERPLEXITY,
    metrics.bits_per_byte: BITS_PER_BYTE,
}
"""Aggregations of log-likelihoods, with a metric of ours that transforms nats per unit in the same way."""

_CORPUS = (metrics.bleu, metrics.chrf, metrics.chrfpp, metrics.ter)


@dataclass(frozen=True, kw_only=True)
class LmEvalMetric(Metric):
    """A metric of lm-eval's."""

    @abstractmethod
    def fields(self, item: Any) -> dict[str, Any]:
        """The fields of a `Score` that hold lm-eval's value of one document; none where they can't."""


@dataclass(frozen=True, kw_only=True)
class _Mean(LmEvalMetric):
    """The mean of numbers; a share, with its interval, where all of them are 0 or 1."""

    @override
    def fields(self, item: Any) -> dict[str, Any]:
        return {"value": float(item)} if _is_number(item) else {}

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        values = [score.value for score in scores if score.value is not None]
        if len(values) < len(scores):
            raise Undefined("the task's value for a document is not a number, so there is no mean")
        if any(math.isnan(value) for value in values):
            raise Undefined("the task's value for a document is NaN")
        if set(values) <= {0.0, 1.0}:
            return statistics.proportion(values, confidence=confidence)
        return statistics.mean(values, confidence=confidence)

    @override
    def resampled(self, scores: Sequence[Score]) -> Statistic:
        return statistics.mean_of(np.array([score.value for score in scores], dtype=float))


@dataclass(frozen=True, kw_only=True)
class _PerUnit(PerUnit, LmEvalMetric):
    """A transform of nats per unit, from log-likelihoods or from pairs of a log-likelihood and a count."""

    @override
    def fields(self, item: Any) -> dict[str, Any]:
        loglikelihood, count = item if isinstance(item, Sequence) else (item, 1)
        return {"value": -float(loglikelihood), "weight": float(count)}


@dataclass(frozen=True, kw_only=True)
class _Aggregated(LmEvalMetric):
    """Any other aggregation, with a bootstrap interval.

    A number is held in `value`, both parts of a pair as JSON in `gold` and `predicted`, and any other value that JSON
    can hold in `predicted` alone.
    """

    aggregate: Aggregation
    resamples: int

    @override
    def fields(self, item: Any) -> dict[str, Any]:
        if _is_number(item):
            return {"value": float(item)}
        try:
            if isinstance(item, list | tuple) and len(item) == 2:
                return {"gold": _to_json(item[0]), "predicted": _to_json(item[1])}
            return {"predicted": _to_json(item)}
        except TypeError:
            return {}

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        items = [_item(score) for score in scores]
        try:
            value = float(self.aggregate(items))
        except Exception as error:
            # The aggregation may be a function of the task's own; its failure is this metric's alone.
            said = f"{type(error).__name__}: {error}"
            raise Undefined(Reason("lm-eval's aggregation fails on these values ({error})", error=said)) from error
        if math.isnan(value):
            raise Undefined("lm-eval's aggregation is undefined on these values (NaN)")

        def statistic(rows: NDArray[np.intp]) -> float:
            try:
                return float(self.aggregate([items[row] for row in rows]))
            except (ArithmeticError, ValueError):  # undefined on this resample, such as for want of a class
                return math.nan

        return statistics.bootstrap(statistic, len(items), rng=rng, resamples=self.resamples, confidence=confidence)


@dataclass(frozen=True, kw_only=True)
class _Bypassed(LmEvalMetric):
    """lm-eval's `bypass`: the task asks for outputs, not for a score."""

    @override
    def fields(self, item: Any) -> dict[str, Any]:
        return {}

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        raise Undefined("the task's metric is bypass: the task collects outputs and scores nothing")


def adopt(metric: str, *, name: str, aggregation: Aggregation, higher_is_better: bool | None) -> LmEvalMetric:
    """lm-eval's `metric` with its `aggregation`, reported as `name`.

    Where lm-eval doesn't know which way is better, higher is taken to be, and the unit says so.
    """
    unit = _UNITS.get(metric, f"as lm-eval's {metric}") + ("" if higher_is_better is not None else ", higher assumed")
    common: dict[str, Any] = {
        "name": name,
        "unit": unit,
        "direction": "lower" if higher_is_better is False else "higher",
        "source": f"lm-evaluation-harness (Gao et al., 2024): {metric}, aggregated by "
        f"{getattr(aggregation, '__name__', 'a function of the task')}",
    }
    if aggregation is metrics.bypass_agg:
        return _Bypassed(**common)
    if aggregation is metrics.mean:
        return _Mean(**common)
    if aggregation in _PER_UNIT:
        like = _PER_UNIT[aggregation]
        return _PerUnit(**common, transform=like.transform)
    # sacrebleu reads all texts again for each resample, so lm-eval too draws only 100.
    return _Aggregated(**common, aggregate=aggregation, resamples=100 if aggregation in _CORPUS else 1000)


def _is_number(item: Any) -> bool:
    return isinstance(item, Real | np.bool_)


def _to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"JSON holds no {type(value).__name__}")


def _item(score: Score) -> Any:
    if score.value is not None:
        return score.value
    if score.predicted is None:
        raise Undefined("the task's value for a document can't be recorded")
    predicted = json.loads(score.predicted)
    return predicted if score.gold is None else (json.loads(score.gold), predicted)
