"""What guessing would give a score, the worst and the best that it can be, and where it lies between those two."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import pandas as pd

from harness.core.scores import Estimate, TaskPart
from harness.metrics.standard import ACC, ACC_NORM
from harness.metrics.written import ACCURACY, CHANCE
from harness.record import RunRecord

__all__ = ["ScoreEnds", "levels_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreEnds:
    """What a score is held against, in its unit; None for what isn't known, or is open."""

    chance: float | None
    worst: float | None
    best: float | None

    def place(self, value: float | None) -> float | None:
        """From 0 (the worst) to 1 (the best); what lies beyond an end is at that end. None where an end is open."""
        if value is None or self.worst is None or self.best is None or self.worst == self.best:
            return None
        return min(max((value - self.worst) / (self.best - self.worst), 0.0), 1.0)


def levels_of(record: RunRecord, estimates: Sequence[Estimate]) -> dict[tuple[str, str, str], ScoreEnds]:
    """Those of each score of all samples, by suite, task and metric; of a mean over tasks, the means of its parts'."""
    whole = [one for one in estimates if one.group is None and one.applies]
    told = {(one.suite, one.task): one.value for one in whole if one.metric == CHANCE.name}
    guessed = {**_shares(record.samples), **{place: value for place, value in told.items() if value is not None}}
    found = {
        (one.suite, one.task, one.metric): ScoreEnds(chance=_chance(one, guessed), **_ends(record, one))
        for one in whole
        if not one.parts
    }
    return found | {(one.suite, one.task, one.metric): _mean(one.suite, one.parts, found) for one in whole if one.parts}


def _shares(samples: pd.DataFrame) -> Mapping[tuple[str, str], float]:
    """One over the number of choices, by suite and task, where there were choices."""
    asked = samples[samples["loglikelihood"].notna()]
    if "variant" in asked:
        asked = asked[asked["variant"].isna()]
    counts = Counter(zip(asked["suite"], asked["task"], asked["sample_id"], strict=True))
    found: dict[tuple[str, str], list[float]] = {}
    for (suite, task, _), count in counts.items():
        found.setdefault((str(suite), str(task)), []).append(1 / count)
    return {place: fmean(shares) for place, shares in found.items() if max(shares) < 1}


def _chance(one: Estimate, guessed: Mapping[tuple[str, str], float]) -> float | None:
    return guessed.get((one.suite, one.task)) if one.metric in _GUESSED else None


_GUESSED = {ACC.name, ACC_NORM.name, ACCURACY.name}
"""Metrics in which one who guesses gets one over the number of choices."""


def _ends(record: RunRecord, one: Estimate) -> dict[str, float | None]:
    metric = record.metrics.get((one.suite, one.task, one.metric))
    parameters: Mapping[str, Any] = (metric.parameters if metric else None) or {}
    lowest, highest = (parameters.get(name) for name in ("lowest", "highest"))
    ends = [float(end) if isinstance(end, int | float) else None for end in (lowest, highest)]
    if one.target is not None:
        known = [end for end in ends if end is not None]
        away = max(known, key=lambda end: abs(end - (one.target or 0.0))) if len(known) == 2 else None
        return {"worst": away, "best": one.target}
    worst, best = ends if one.direction == "higher" else ends[::-1]
    return {"worst": worst, "best": best}


def _mean(suite: str, parts: Sequence[TaskPart], found: Mapping[tuple[str, str, str], ScoreEnds]) -> ScoreEnds:
    """What is known of every part, weighed as the parts are."""
    known = [(part.weight, found.get((suite, part.task, part.metric))) for part in parts]

    def of(name: str) -> float | None:
        values = list(_values(known, name))
        return sum(values) / sum(weight for weight, _ in known) if len(values) == len(known) else None

    return ScoreEnds(chance=of("chance"), worst=of("worst"), best=of("best"))


def _values(known: Sequence[tuple[float, ScoreEnds | None]], name: str) -> Iterator[float]:
    for weight, levels in known:
        value = getattr(levels, name) if levels else None
        if value is not None:
            yield weight * value
