"""Metrics of the `evaluate` library as ours, and ours as metrics of `evaluate`.

That library fetches and runs scripts, and takes seconds to import: it is imported where it is used, and only then.
"""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from harness.core import statistics
from harness.core.errors import TaskError, UnavailableError
from harness.core.metrics import Mean, Metric, PerUnit, Proportion, Undefined
from harness.core.scores import Score
from harness.core.statistics import CONFIDENCE, Interval
from harness.core.text.reasons import Reason
from harness.metrics.texts import TextMetric

__all__ = ["EvaluateMetric", "as_evaluate", "load_metric"]

_TRUST = "Read it, and add --trust-metric-code if you trust it"

_LOWER_IS_BETTER = frozenset(
    {"brier_score", "cer", "character", "mae", "mape", "mase", "mse", "perplexity", "smape", "ter", "wer"}
)
"""The hub's metrics whose lower values are better; none of them says so itself."""

_RESAMPLES = 200


@dataclass(frozen=True, kw_only=True)
class EvaluateMetric(Metric):
    """A metric of the `evaluate` library, over the `gold` and `predicted` of scores.

    `module` is the library's object; `key` the result to take, None for the one named as the metric or the only one;
    `script` the file that it was loaded from.
    The interval is a seeded bootstrap with 200 resamples. Where the metric wants whole numbers and the labels are none,
    labels are numbered in sorted order.
    """

    module: Any
    key: str | None
    script: Path

    @property
    @override
    def scripts(self) -> Sequence[Path]:
        return (self.script,)

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        pairs = [(score.gold, score.predicted) for score in scores]
        gold = [label for label, _ in pairs if label is not None]
        predicted = [label for _, label in pairs if label is not None]
        if not len(gold) == len(predicted) == len(scores):
            raise Undefined("a sample has no gold or no predicted label or text")
        references, predictions = self._encoded(gold, predicted)
        if np.isnan(self._value(predictions, references)):
            raise Undefined(Reason("evaluate's {metric} is undefined on these labels (NaN)", metric=self.module.name))

        def statistic(rows: NDArray[np.intp]) -> float:
            try:
                return self._value([predictions[row] for row in rows], [references[row] for row in rows])
            except Undefined:  # on this resample, such as for want of a class
                return float("nan")

        clusters = [score.cluster for score in scores]
        return statistics.bootstrap(
            statistic, len(scores), rng=rng, clusters=clusters, resamples=_RESAMPLES, confidence=confidence
        )

    def _encoded(self, gold: list[str], predicted: list[str]) -> tuple[Sequence[Any], Sequence[Any]]:
        features = self.module.features
        wanted = features["predictions"] if isinstance(features, dict) and "predictions" in features else None
        if "int" not in str(getattr(wanted, "dtype", "")):
            return gold, predicted
        try:
            return [int(label) for label in gold], [int(label) for label in predicted]
        except ValueError:
            numbers = {label: number for number, label in enumerate(sorted({*gold, *predicted}))}
            return [numbers[label] for label in gold], [numbers[label] for label in predicted]

    def _value(self, predictions: Sequence[Any], references: Sequence[Any]) -> float:
        name = self.module.name
        try:
            results = dict(self.module.compute(predictions=predictions, references=references))
        except Exception as error:
            # A foreign script may raise anything; its failure is this metric's alone.
            said = f"{type(error).__name__}: {error}"
            raise Undefined(
                Reason("evaluate's {metric} fails on these labels ({error})", metric=name, error=said)
            ) from error
        key = self.key or (next(iter(results)) if len(results) == 1 else name)
        if key not in results:
            raise Undefined(
                Reason(
                    "evaluate's {metric} reports {keys}: choose one with evaluate:{metric}#KEY",
                    metric=name,
                    keys=", ".join(results),
                )
            )
        try:
            return float(results[key])
        except (TypeError, ValueError) as error:
            raise Undefined(Reason("evaluate's {metric} reports no number as {key}", metric=name, key=key)) from error


def load_metric(reference: str, *, trust_metric_code: bool, offline: bool = False) -> EvaluateMetric:
    """The metric of the `evaluate` library that `evaluate:NAME` or `evaluate:PATH.py` stands for (the prefix may be
    left out). `#KEY` at the end takes one of several results, as in `evaluate:rouge#rougeL`.

    Higher is better unless the script's class says `higher_is_better = False`, or the hub's metric is known for the
    contrary (such as wer). Scripts and the hub's metrics run code. Raises `TaskError` where that isn't allowed, or the
    script can't be loaded; `UnavailableError` where the hub's metric can't be fetched.
    """
    bare, _, key = reference.removeprefix("evaluate:").partition("#")
    is_script = bare.endswith(".py")
    if is_script and not Path(bare).is_file():
        raise TaskError("no such metric script", place=bare)
    if not trust_metric_code:
        source = "a Python script" if is_script else "a script of the hub's, to be fetched"
        raise TaskError(f"the metric is {source}, and would run", place=bare, fix=_TRUST)
    if offline and not Path(bare).exists():
        raise UnavailableError("the metric would have to be fetched, and offline", place=f"evaluate:{bare}")
    module = _load(bare)
    higher = getattr(module, "higher_is_better", bare not in _LOWER_IS_BETTER)
    return EvaluateMetric(
        name=f"{module.name}.{key}" if key else module.name,
        unit=f"as evaluate's {module.name} reports",
        direction="higher" if higher else "lower",
        source=" ".join(str(module.citation or module.homepage or f"the evaluate library, {bare}").split()),
        module=module,
        key=key or None,
        script=_script(bare, module),
    )


def _script(bare: str, module: Any) -> Path:
    """The file that a metric was loaded from: the user's, in a folder of its name or not, else the library's copy."""
    path = Path(bare)
    return next((one for one in (path, path / f"{path.name}.py") if one.is_file()), Path(inspect.getfile(type(module))))


def as_evaluate(metric: Metric) -> Any:
    """One of our metrics as an `evaluate.Metric`, for pipelines built on that library; needs no network.

    `compute(predictions=..., references=...)` takes labels or texts, as strings or whole numbers; for a metric per
    unit (perplexities), nats as predictions and counts of units as references; for a mean, numbers as predictions
    alone. It gives the value under the metric's name, with `stderr`, `low` and `high` (95 %) beside it; where the
    metric is undefined the value is None, and `reason` says why.
    """
    import datasets
    import evaluate

    def info(_: Any) -> Any:
        return evaluate.MetricInfo(
            description=f"{metric.name}, in {metric.unit}; {_better(metric)}",
            citation=metric.source,
            inputs_description=as_evaluate.__doc__ or "",
            features=_features(metric, datasets),
        )

    def compute(_: Any, predictions: Sequence[Any], references: Sequence[Any] | None = None) -> dict[str, Any]:
        if not len(predictions):
            return {metric.name: None, "reason": "there are no predictions"}
        try:
            interval = metric.reduce(_scores(metric, predictions, references), Random(0))
        except Undefined as undefined:
            return {metric.name: None, "reason": str(undefined)}
        return {metric.name: interval.value, "stderr": interval.stderr, "low": interval.low, "high": interval.high}

    return type(metric.name, (evaluate.Metric,), {"_info": info, "_compute": compute})(keep_in_memory=True)


def _load(bare: str) -> Any:
    import evaluate

    try:
        return evaluate.load(bare, keep_in_memory=True)
    except OSError as error:
        raise UnavailableError(
            f"the metric can't be fetched ({_line(error)})",
            place=f"evaluate:{bare}",
            fix="Check its name and the network, or name a local script by its path",
        ) from error
    except Exception as error:
        raise TaskError(
            f"the metric can't be loaded ({type(error).__name__}: {_line(error)})", place=f"evaluate:{bare}"
        ) from error


def _features(metric: Metric, datasets: Any) -> Any:
    if isinstance(metric, PerUnit):
        return datasets.Features({name: datasets.Value("float64") for name in ("predictions", "references")})
    if isinstance(metric, Mean) and not isinstance(metric, Proportion | TextMetric):
        return datasets.Features({"predictions": datasets.Value("float64")})
    return [
        datasets.Features({name: datasets.Value(kind) for name in ("predictions", "references")})
        for kind in ("string", "int64")
    ]


def _scores(metric: Metric, predictions: Sequence[Any], references: Sequence[Any] | None) -> list[Score]:
    if references is None:
        return [
            Score(sample_id=str(index), metric=metric.name, value=float(predicted))
            for index, predicted in enumerate(predictions)
        ]
    pairs = list(enumerate(zip(predictions, references, strict=True)))
    if isinstance(metric, PerUnit):
        return [
            Score(sample_id=str(index), metric=metric.name, value=float(nats), weight=float(count))
            for index, (nats, count) in pairs
        ]
    return [
        Score(
            sample_id=str(index),
            metric=metric.name,
            value=float(predicted == gold),
            gold=str(gold),
            predicted=str(predicted),
        )
        for index, (predicted, gold) in pairs
    ]


def _better(metric: Metric) -> str:
    return f"{metric.direction} is better" if metric.direction else f"best at {metric.target}"


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
