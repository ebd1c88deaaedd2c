"""Which metrics a scenario stands for: those whose interval is made in the same way."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from harness.core.metrics import Mean, Metric
from harness.metrics.texts import CorpusMetric

__all__ = ["kind_of"]

_DESCRIBING = {field.name for field in fields(Metric)}


def kind_of(metric: Metric) -> tuple[Any, ...]:
    """What makes its interval: the class, which ends of its range are known, and the functions that it is given.

    Means, and metrics of sacrebleu, are each of one kind, whatever they are the mean of.
    """
    families = [family for family in (Mean, CorpusMetric) if isinstance(metric, family)]
    same_way = bool(families) and type(metric).reduce is families[0].reduce
    own = [getattr(metric, field.name) for field in fields(metric) if field.name not in _DESCRIBING]
    functions = [one for one in own if isinstance(one, Callable)]  # type: ignore[arg-type]
    ends = metric.lowest is not None and metric.highest is not None
    return (families[0] if same_way else type(metric), ends if isinstance(metric, Mean) else None, *functions)
