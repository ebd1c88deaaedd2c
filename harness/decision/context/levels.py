"""What a score is held against before any other run is: what guessing would give, and the best there can be."""

from collections.abc import Mapping, Sequence
from functools import cache

import pandas as pd

from harness.core.errors import HarnessError
from harness.core.metrics import Metric
from harness.core.registry import task as registered_task
from harness.core.requests import AudioLoglikelihood, Loglikelihood, MultimodalLoglikelihood
from harness.core.scores import Estimate
from harness.decision.keys import Key, key_of
from harness.metrics.standard import ACC, ACC_NORM, BITS_PER_BYTE, GOLD_BITS_PER_BYTE, MCC
from harness.metrics.written import CHANCE, WRITTEN
from harness.record import RunRecord

__all__ = ["UNIT_ENDS", "chance_level", "chances", "optima"]

_CHOICES = (Loglikelihood.kind, MultimodalLoglikelihood.kind, AudioLoglikelihood.kind)

_SHARED: Mapping[str, Metric] = {
    one.name: one for one in (*WRITTEN, ACC, ACC_NORM, MCC, BITS_PER_BYTE, GOLD_BITS_PER_BYTE)
}
"""What many tasks have: for these no task has to be loaded."""

UNIT_ENDS: Mapping[str, tuple[float, float]] = {
    "share": (0.0, 1.0),
    "probability": (0.0, 1.0),
    "F1": (0.0, 1.0),
    "MCC": (-1.0, 1.0),
    "%": (0.0, 100.0),
    "points": (0.0, 100.0),
    "out of 100": (0.0, 100.0),
}
"""The ends of a unit, for metrics that don't say theirs. A bias is never in these units without a target."""


def chance_level(samples: pd.DataFrame, suite: str, task: str) -> float | None:
    """The accuracy of guessing among the choices of a task, from 0 to 1: the mean of 1 / choices over its samples.

    `samples` are a record's. None for a task that doesn't choose among log-likelihoods.
    """
    of_task = samples[(samples["suite"] == suite) & (samples["task"] == task)]
    asked = of_task[of_task["kind"].isin(_CHOICES)]
    if "variant" in asked:
        asked = asked[asked["variant"].isna()]
    counts = asked.groupby("sample_id").size()
    if counts.empty or counts.min() < 2:
        return None
    return float((1 / counts).mean())


def chances(record: RunRecord, estimates: Sequence[Estimate]) -> dict[Key, float]:
    """What guessing would score, in the unit of each score, of those of `estimates` of which that is known.

    Of a mean over tasks it is known where it is of all of them. Single groups have none: they may differ in what there
    is to choose from. Raises `RecordError`.
    """
    whole = [one for one in estimates if one.group is None and one.applies]
    told = {(one.suite, one.task): one.value for one in whole if one.metric == CHANCE.name}
    guessed: dict[tuple[str, str], float | None] = {}
    samples: pd.DataFrame | None = None
    found: dict[Key, float] = {}
    for one in whole:
        chance, place = None if one.parts else _declared(one), (one.suite, one.task)
        if isinstance(chance, str) and place not in guessed:
            samples = record.samples if samples is None else samples
            guessed[place] = told[place] if place in told else chance_level(samples, *place)
        level = guessed[place] if isinstance(chance, str) else chance
        if chance == "indifference" and level is not None:
            level = 1 - level
        if level is not None:
            found[key_of(one)] = level
    return {**found, **_means(whole, found)}


def optima(record: RunRecord, estimates: Sequence[Estimate]) -> dict[Key, float]:
    """The best value that each score can have: its target, else the end of its range; none where that is open."""
    found = {key_of(one): best for one in estimates if not one.parts and (best := _best(record, one)) is not None}
    return {**found, **_means(estimates, found)}


def _declared(one: Estimate) -> float | str | None:
    """What the metric of a task says of chance."""
    if one.metric in _SHARED:
        return _SHARED[one.metric].chance
    if one.direction is None:  # a target is what an unbiased guess gives, or a control
        return None
    return _of_task(one.task).get(one.metric)


@cache
def _of_task(name: str) -> Mapping[str, float | str]:
    """What guessing would score by each metric of a task that says so; nothing where the task isn't installed."""
    try:
        metrics = registered_task(name).metrics
    except HarnessError:
        return {}
    return {metric.name: metric.chance for metric in metrics if metric.chance is not None}


def _best(record: RunRecord, one: Estimate) -> float | None:
    if one.target is not None:
        return one.target
    recorded = record.metrics.get((one.suite, one.task, one.metric))
    parameters = (recorded.parameters if recorded else None) or {}
    end = parameters.get("highest" if one.direction == "higher" else "lowest")
    if isinstance(end, int | float):
        return float(end)
    return UNIT_ENDS[one.unit][one.direction == "higher"] if one.unit in UNIT_ENDS else None


def _means(estimates: Sequence[Estimate], found: Mapping[Key, float]) -> dict[Key, float]:
    """Those of the means over tasks of which every part has one."""
    means: dict[Key, float] = {}
    for one in estimates:
        levels = [found.get(Key(one.suite, part.task, part.metric)) for part in one.parts]
        known = [level for level in levels if level is not None]
        if levels and len(known) == len(levels) and one.group is None:
            weights = [part.weight for part in one.parts]
            weighed = sum(weight * level for weight, level in zip(weights, known, strict=True))
            means[key_of(one)] = weighed / sum(weights)
    return means
