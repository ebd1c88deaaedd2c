"""Where a score stands: beside what guessing gives, the best there can be, and another run, each with one word."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd

from harness.core.scores import Estimate, SampleGroup
from harness.core.statistics import holm
from harness.decision.comparison import LEVEL, Comparison, MetricDifference, compare
from harness.decision.context.levels import chances, optima
from harness.decision.context.testing import implied_p
from harness.decision.keys import Key, key_of
from harness.record import RunRecord
from harness.record.estimates import estimate_row

__all__ = ["ScoreContext", "Word", "context_row", "in_context", "score_contexts"]

Word = Literal["better", "worse", "can't tell"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreContext:
    """What one score is held against, each None where there is nothing to hold it against.

    `chance` is what guessing would score, `optimum` the best value there can be (a target, or the end of the range),
    `baseline` the same score of another run, all in the unit of the score. A word says whether the score is better than
    the one or the other: "better" and "worse" are said by a test at 5 %, corrected by Holm's method for all scores of
    its suite (all headlines are one family), "can't tell" of all others.
    """

    chance: float | None = None
    than_chance: Word | None = None
    optimum: float | None = None
    baseline: float | None = None
    than_baseline: Word | None = None


def score_contexts(
    record: RunRecord, comparison: Comparison | None = None, estimates: Sequence[Estimate] | None = None
) -> dict[Key, ScoreContext]:
    """Where each score of a sealed run stands, and beside the first of a `comparison` whose second it is, if any.

    `estimates` are the run's, for who has read them already. Raises `RecordError`.
    """
    listed = record.estimate_list if estimates is None else estimates
    by_chance, best = chances(record, listed), optima(record, listed)
    said = _beyond_chance([one for one in listed if key_of(one) in by_chance], by_chance)
    found = {
        key: ScoreContext(chance=by_chance.get(key), than_chance=said.get(key), optimum=best.get(key))
        for key in map(key_of, listed)
    }
    for one in comparison.differences if comparison else ():
        group = None if one.group is None else SampleGroup.parse(one.group)
        key = Key(one.suite, one.task, one.metric, group)
        if key in found and one.first is not None:
            word = None if one.second is None else _word(one)
            found[key] = replace(found[key], baseline=one.first, than_baseline=word)
    return found


def in_context(record: RunRecord, baseline: RunRecord | None = None) -> pd.DataFrame:
    """The estimates of a sealed run as `record.estimates`, with the columns of `ScoreContext` behind them.

    With a `baseline`, samples are paired as `compare` does it. Raises `RecordError` where the two can't be compared.
    """
    listed = record.estimate_list
    found = score_contexts(record, compare(baseline, record) if baseline else None, listed)
    return pd.DataFrame([{**estimate_row(one), **context_row(found[key_of(one)])} for one in listed])


def context_row(context: ScoreContext) -> dict[str, float | str | None]:
    """The fields of a context by name, for rows of tables and JSON."""
    return {name: getattr(context, name) for name in ScoreContext.__slots__}


def _word(one: MetricDifference) -> Word:
    return one.change if one.change in ("better", "worse") else "can't tell"


def _beyond_chance(estimates: Sequence[Estimate], chance: Mapping[Key, float]) -> dict[Key, Word]:
    families: dict[str, list[tuple[Estimate, float, float]]] = {}
    for one in estimates:
        level = chance[key_of(one)]
        p_value = None if one.value is None else implied_p(one, one.value, level)
        if one.value is not None and p_value is not None:
            family = "" if one.is_headline else one.suite
            families.setdefault(family, []).append((one, level, p_value))
    said: dict[Key, Word] = {}
    for members in families.values():
        corrected = holm([p_value for *_, p_value in members])
        for (one, level, _), p_value in zip(members, corrected, strict=True):
            above = (one.value or 0.0) > level
            sure: Word = "better" if above == (one.direction == "higher") else "worse"
            said[key_of(one)] = sure if p_value <= LEVEL else "can't tell"
    return said
