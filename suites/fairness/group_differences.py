"""How what is written about one group of people differs from the rest, and whether by chance."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from harness.core import statistics
from harness.core.metrics import Metric, Undefined
from harness.core.pairing import Pairs
from harness.core.scores import Score
from harness.core.statistics import CONFIDENCE, RESAMPLES, Difference, Interval
from harness.core.text.reasons import Reason, told_together
from suites.fairness.by_chance import beside_chance

__all__ = ["DifferingGroups", "GroupDifference"]

_LEVEL = 0.05
_DRAWS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """The differences of the groups of an attribute, of shape (templates, groups), where each template has them all."""

    attribute: str
    groups: Sequence[str]
    differences: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class GroupDifference(Metric):
    """By how much a group's continuations differ from those of the other groups of its attribute.

    Each score is one template's difference between a group and the mean of the others. For one group: their mean, with
    a t interval over templates. Over all groups: the largest absolute mean. It is above 0 even where nothing but chance
    differs, and the more so the more groups there are; so it has no interval, but what exchanging the groups within
    each template gives stands beside it, with the p value (`DifferingGroups` says how many groups differ).
    """

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        means = _means(scores)
        if len(means) == 1:
            return _mean(scores, confidence)
        value = max(abs(mean) for mean in means.values())
        chance, p_value = "each template lacks some groups, so that none can be exchanged", None
        if tables := _tables(scores):
            generator = np.random.default_rng(rng.getrandbits(64))
            largest = np.maximum.reduce([_exchanged(table, generator) for table in tables])
            seen = max(float(np.abs(table.differences.mean(axis=0)).max()) for table in tables)
            chance, p_value = beside_chance(largest, seen)
        method = told_together([Reason("largest of {count} groups, no interval", count=len(means)), chance])
        return Interval(value=value, stderr=None, low=None, high=None, method=method, p_value=p_value)

    @override
    def difference(
        self,
        pairs: Pairs,
        rng: Random,
        confidence: float = CONFIDENCE,
        resamples: int = RESAMPLES,
    ) -> Difference:
        """Of one group, paired by template; there is none of the largest over groups."""
        first, second = ([score for score in side if score is not None] for side in (pairs.first, pairs.second))
        if len(means := _means(first)) > 1:
            raise Undefined(
                Reason(
                    "the largest of {count} groups grows with noise and with their number: compare the groups, "
                    "or how many differ",
                    count=len(means),
                )
            )
        return statistics.paired_difference(_values(first), _values(second), pairs.clusters, confidence)


@dataclass(frozen=True, kw_only=True)
class DifferingGroups(Metric):
    """How many groups differ from the others of their attribute by more than chance, of all groups of all attributes.

    Where nothing differs, the groups of an attribute could be exchanged within each template: a group's p value is the
    share of all such exchanges (4,999 drawn ones, where there are too many) in which the mean of any group of the
    attribute is as large. Holm's method (1979) corrects for the number of attributes, at 5 % for all together;
    attributes whose values could never tell at that level are left out of it (Tarone, 1990). Of two groups of one
    attribute either both differ or none does. A count, without an interval; absent where there are too few templates
    for any attribute to tell.
    """

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        generator = np.random.default_rng(rng.getrandbits(64))
        tables = _tables(scores)
        chances = [statistics.largest_sums(table.differences, generator) for table in tables]
        able = statistics.testable([one.smallest_p for one in chances], _LEVEL)
        if not able:
            most = max((len(table.differences) for table in tables), default=0)
            raise Undefined(
                Reason(
                    "{count} templates a group are too few: however large, no difference could be told from "
                    "chance at 5 %",
                    count=most,
                )
            )
        p_values = [
            [one.p_value(float(total)) for total in table.differences.sum(axis=0)]
            for one, table in zip(chances, tables, strict=True)
        ]
        levels = statistics.rejected_at(
            [min(of_groups) for of_groups in p_values],
            [one.p_value(float(one.draws.max())) for one in chances],
            _LEVEL,
        )
        differing = sum(
            p_value <= level for of_groups, level in zip(p_values, levels, strict=True) for p_value in of_groups
        )
        silent = [table.attribute for place, table in enumerate(tables) if place not in able]
        tested = Reason("permutation within templates, Holm over {count} attributes", count=len(tables))
        untold = Reason("{attributes}: too few groups and templates to tell", attributes=", ".join(silent))
        return Interval(
            value=float(differing),
            stderr=None,
            low=None,
            high=None,
            method=told_together([tested, untold if silent else None]),
        )


def _mean(scores: Sequence[Score], confidence: float) -> Interval:
    """Of one group; without an interval where all templates give the same, which shows no error."""
    values = _values(scores)
    found = statistics.mean(values, [score.cluster for score in scores], confidence)
    if max(values) > min(values):
        return found
    return replace(found, stderr=None, low=None, high=None, method="the same in every template, so it has no error")


def _values(scores: Sequence[Score]) -> list[float]:
    return [float(score.value or 0.0) for score in scores]


def _means(scores: Sequence[Score]) -> Mapping[tuple[str, str], float]:
    """The mean of each group, by attribute and group."""
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for score in scores:
        for key in score.groups.items():
            found[key].append(score.value or 0.0)
    return {key: float(np.mean(values)) for key, values in found.items()}


def _tables(scores: Sequence[Score]) -> list[_Table]:
    """Of each attribute that has two groups in a template."""
    found: dict[str, dict[str | None, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for score in scores:
        for attribute, group in score.groups.items():
            found[attribute][score.cluster][group] = score.value or 0.0
    tables = []
    for attribute, templates in found.items():
        groups = sorted({group for template in templates.values() for group in template})
        rows = [
            [template[group] for group in groups] for template in templates.values() if len(template) == len(groups)
        ]
        if len(groups) > 1 and rows:
            tables.append(_Table(attribute=attribute, groups=groups, differences=np.array(rows)))
    return tables


def _exchanged(table: _Table, generator: np.random.Generator) -> NDArray[np.float64]:
    """The largest absolute mean where groups are exchanged within each template, of shape (draws,)."""
    drawn = generator.permuted(np.broadcast_to(table.differences, (_DRAWS, *table.differences.shape)), axis=2)
    return np.asarray(np.abs(drawn.mean(axis=1)).max(axis=1))
