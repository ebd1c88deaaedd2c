"""The metrics of a run as its record holds them: the class of each, and its parameters; never code.

A record may be anybody's. So a class is looked for among those of installed packages that register something with the
harness (see `harness.core.registry.module`), has to be a metric, and is made of its own fields alone, each of the type
that the class says.
"""

import inspect
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from typing import Any, get_type_hints

import pandas as pd
from pydantic import ConfigDict, TypeAdapter

from harness.core import registry
from harness.core.errors import PluginError
from harness.core.metrics import Metric, PerUnit, Undefined, right_value
from harness.core.text.hashing import canonical_json
from harness.core.text.reasons import Reason
from harness.record.estimates import present_unit

__all__ = ["METRICS", "RecordedMetric", "metric_rows", "recorded_metrics", "values_by_sample"]

METRICS = "metrics.json"

_MOST_BYTES = 64 << 10
"""Of one metric's parameters as JSON: more than the names of some thousand labels take."""
_LONGEST_NAME = 300
_FINITE = ConfigDict(allow_inf_nan=False)
_WORDS = frozenset({"meaning", "source"})
"""Parameters that change no number."""

Key = tuple[str, str, str]
"""Suite, task and name of a metric."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedMetric:
    """A metric as JSON: its class as `MODULE:NAME`, its parameters by name; None where JSON can't hold them."""

    class_name: str
    parameters: Mapping[str, Any] | None

    @classmethod
    def of(cls, metric: Metric) -> "RecordedMetric":
        """What a record holds of a metric: all fields that tell it from others of its class."""
        class_name = f"{type(metric).__module__}:{type(metric).__qualname__}"
        try:
            held = {one.name: _plain(getattr(metric, one.name)) for one in fields(metric) if one.compare}
            canonical_json(held)
        except (TypeError, ValueError):
            return cls(class_name=class_name, parameters=None)
        return cls(class_name=class_name, parameters=held)

    @property
    def right_value(self) -> float | None:
        """What a sample that is right scores (see `Metric.right_value`); 1 where the parameters don't tell."""
        return right_value((self.parameters or {}).get("direction", "higher"))

    def metric(self) -> Metric:
        """The metric, made anew. Raises `Undefined`, with the reason, where that can't be done here."""
        if self.parameters is None:
            raise Undefined(
                Reason("{name} can't be rebuilt: it holds code or objects of the task", name=self.class_name[:80])
            )
        try:
            kind = _class(self.class_name)
            return kind(**_parameters(kind, self.parameters))
        except (PluginError, TypeError, ValueError, NameError) as error:
            said = " ".join(str(error).split())
            raise Undefined(
                Reason("{name} can't be rebuilt: {error}", name=self.class_name[:80], error=said[:300])
            ) from error

    def differences(self, other: "RecordedMetric") -> list[str]:
        """In what the other one computes something else, parameter by parameter; empty where it is the same."""
        if self.class_name != other.class_name:
            return [f"class {self.class_name:.80}, there {other.class_name:.80}"]
        one, there = self.parameters, other.parameters
        if one is None or there is None:
            return [] if one is there else ["parameters that can't be recorded"]
        names = sorted((one.keys() | there.keys()) - _WORDS)
        return [
            f"{name} {one.get(name)!r:.60}, there {there.get(name)!r:.60}"
            for name in names
            if _differ(one.get(name), there.get(name))
        ]


def metric_rows(metrics: Mapping[tuple[str, str], Iterable[Metric]]) -> list[dict[str, Any]]:
    """The metrics of a run's tasks, by suite and task, as a record holds them: those that are the same stand once."""
    found: dict[bytes, dict[str, Any]] = {}
    for task, several in metrics.items():
        for metric in several:
            one = RecordedMetric.of(metric)
            row = {"metric": metric.name, "class": one.class_name, "parameters": one.parameters}
            found.setdefault(canonical_json(row), {**row, "tasks": []})["tasks"].append(list(task))
    return list(found.values())


def recorded_metrics(rows: Any) -> Mapping[Key, RecordedMetric]:
    """The inverse of `metric_rows`. Raises `ValueError`, `TypeError` or `KeyError` for anything else."""
    found: dict[Key, RecordedMetric] = {}
    for row in rows:
        if not isinstance(row["class"], str) or not isinstance(row["parameters"], dict | None):
            raise TypeError("a metric is a class and its parameters")
        one = RecordedMetric(class_name=row["class"], parameters=_present(row["parameters"]))
        for suite, task in row["tasks"]:
            key = (str(suite), str(task), str(row["metric"]))
            if key in found:
                raise ValueError(f"{'/'.join(key)} stands there twice")
            found[key] = one
    return found


def values_by_sample(scores: pd.DataFrame, metrics: Mapping[Key, RecordedMetric]) -> pd.Series:
    """The values of `scores` (as in scores.parquet) as people read them, in their metric's unit.

    Of a metric that divides sums, such as bits by bytes, that is the metric of the one sample, where the record has the
    sum of nats and its weight apart.
    """
    values = scores["value"].copy()
    for (suite, task, metric), rows in scores.groupby(["suite", "task", "metric"], sort=False):
        recorded = metrics.get((str(suite), str(task), str(metric)))
        if recorded is None:
            continue
        with suppress(Undefined):  # its class isn't installed here: the value stays what the record has
            if isinstance(made := recorded.metric(), PerUnit):
                pairs = zip(rows["value"], rows["weight"], strict=True)
                values[rows.index] = [made.of_one(value, weight) for value, weight in pairs]
    return values


def _present(value: Any) -> Any:
    """The parameters with their units as they are called today."""
    if not isinstance(value, Mapping):
        return value
    return {
        name: present_unit(one) if name == "unit" and isinstance(one, str) else _present(one)
        for name, one in value.items()
    }


def _plain(value: Any) -> Any:
    """The value as JSON has it. Raises `TypeError` for what JSON can't hold."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Metric):
        one = RecordedMetric.of(value)
        return {"class": one.class_name, "parameters": _plain(_held(one))}
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, Sequence):
        return [_plain(one) for one in value]
    raise TypeError(f"JSON holds no {type(value).__name__}")


def _held(metric: RecordedMetric) -> Mapping[str, Any]:
    """Its parameters. Raises `TypeError` where JSON can't hold them."""
    if metric.parameters is None:
        raise TypeError(f"JSON holds no {metric.class_name}")
    return metric.parameters


def _class(class_name: str) -> type[Metric]:
    """Raises `PluginError` where it is none that an installed package brings."""
    module, _, name = class_name.partition(":")
    if len(class_name) > _LONGEST_NAME:
        raise PluginError("has too long a name for a class", place=f"{class_name:.60}…")
    found = vars(registry.module(module)).get(name)
    if not (isinstance(found, type) and issubclass(found, Metric)) or inspect.isabstract(found):
        raise PluginError("is no metric", place=class_name)
    if (found.__module__, found.__qualname__) != (module, name):
        raise PluginError(f"is another name of {found.__module__}:{found.__qualname__}", place=class_name)
    return found


def _parameters(kind: type[Metric], recorded: Mapping[str, Any]) -> dict[str, Any]:
    """Each parameter as the type of its field. Raises `ValueError` for others and too large ones."""
    held = json.dumps(recorded)
    if len(held) > _MOST_BYTES:
        raise ValueError(f"its parameters take {len(held):,} bytes; the limit is {_MOST_BYTES:,}")
    # What every metric has is of the type that `Metric` says, even where a class leaves it open.
    types = _types(kind)
    known = {one.name for one in fields(kind) if one.init and one.compare}
    if unknown := recorded.keys() - known:
        raise ValueError(f"{kind.__name__} has no parameter {min(unknown)!r:.60}")
    return {
        name: _inner(value)
        if types[name] is Metric
        else TypeAdapter(types[name], config=_FINITE).validate_json(json.dumps(value), strict=True)
        for name, value in recorded.items()
    }


def _types(kind: type[Metric]) -> dict[str, Any]:
    return {**get_type_hints(kind), **get_type_hints(Metric)}


def _inner(recorded: Any) -> Metric:
    """A metric that another is made of, and that is made of no other. Raises as `_class` and `_parameters`."""
    if not isinstance(recorded, Mapping) or recorded.keys() != {"class", "parameters"}:
        raise ValueError("a metric that another is made of is a class and its parameters")
    kind = _class(str(recorded["class"]))
    if Metric in _types(kind).values():
        raise ValueError(f"{kind.__name__} is itself made of another metric")
    return kind(**_parameters(kind, dict(recorded["parameters"])))


def _differ(one: Any, other: Any) -> bool:
    return canonical_json(one) != canonical_json(other)
