"""Which checkpoint is best, by weights, and where the data can't say so."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pandas as pd
from scipy import special

from harness.core.statistics import UPPER, Interval, holm, weighted_sum
from leaderboard.data.pairs import Part, RunParts, difference_p
from leaderboard.data.scales import Scale, scale_in

__all__ = ["LEVEL", "Ranking", "rank"]

LEVEL = 0.05
"""Neighbours whose corrected p value is below this have different ranks."""
FEWEST = 4
"""So many runs that compare have totals; of fewer, each dimension says more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """`frame` has one row a run, best first; in the order given where there is no score:

    run_id, rank (1 is best; neighbours that the data can't tell apart share one; none without a score), score (0 to 1,
    higher is better), stderr, low, high (made of the dimensions' own intervals by MOVER; Zou and Donner, 2008), missing
    (suites that are weighed and that the run has no score in; the others then share their weight), p_next (of the
    difference to the next row, corrected by Holm's method for all rows).

    `formula` says in words how the score is made; `notes` what to know of it.
    """

    frame: pd.DataFrame
    formula: str
    notes: Sequence[str]


def rank(
    run_ids: Sequence[str],
    scores: pd.DataFrame,
    parts: Mapping[str, Mapping[tuple[str, str], Part]],
    weights: Mapping[str, float],
) -> Ranking:
    """Rank runs by the weighted mean of their dimensions, each from 0 (guessing, or the worst) to 1 (the best).

    In some dimensions a model that knows nothing is the best, as it harms nobody. So that nothing is earned by that,
    what they give is multiplied by the mean of the others, where any other is weighed. There is no score of several
    dimensions for fewer than `FEWEST` runs.

    `scores` is as of `queries.scores`; `parts` as of `queries.headline_parts`. Weights are not negative; a suite whose
    weight is 0, or that isn't named, doesn't count.
    """
    weighed = {suite: weight for suite, weight in weights.items() if weight > 0}
    chosen = scores[scores["run_id"].isin(set(run_ids)) & scores["suite"].isin(weighed) & scores["value"].notna()]
    scales = {str(suite): scale_in(of_suite) for suite, of_suite in chosen.groupby("suite", sort=False)}
    usable = {suite: scale for suite, scale in scales.items() if scale is not None}
    by_run: dict[str, list[dict[str, Any]]] = {}
    for scored in chosen.to_dict("records"):
        by_run.setdefault(scored["run_id"], []).append({str(name): value for name, value in scored.items()})
    rows: list[dict[str, Any]] = []
    run_parts: dict[str, RunParts] = {}
    few = len(run_ids) < FEWEST and len(usable) > 1
    for run_id in run_ids:
        scored_rows = [] if few else by_run.get(run_id, [])
        row, run_parts[run_id] = _score(run_id, scored_rows, parts.get(run_id, {}), usable, weighed)
        rows.append(row)
    if not few:
        rows.sort(key=lambda row: (row["score"] is None, -(row["score"] or 0.0), row["run_id"]))
    _add_ranks(rows, run_parts)
    return Ranking(
        frame=pd.DataFrame(rows, columns=list(_COLUMNS), dtype=object).astype(_COLUMNS),
        formula=_formula(weighed, usable),
        notes=_notes(chosen, scales, len(run_ids) if few else None),
    )


_COLUMNS = {
    "run_id": "object",
    "rank": "Int64",
    **dict.fromkeys(("score", "stderr", "low", "high"), "float64"),
    "missing": "object",
    "p_next": "float64",
}


def _score(
    run_id: str,
    of_run: Sequence[Mapping[str, Any]],
    parts: Mapping[tuple[str, str], Part],
    scales: Mapping[str, Scale],
    weights: Mapping[str, float],
) -> tuple[dict[str, Any], RunParts]:
    """A run's row but for its rank, and the parts of its score."""
    found = [row for row in of_run if row["suite"] in scales]
    missing = [suite for suite in weights if suite not in {row["suite"] for row in found}]
    blank: dict[str, Any] = dict.fromkeys(_COLUMNS)
    shares = _shares(found, scales, weights)
    if not shares:
        return {**blank, "run_id": run_id, "missing": missing}, {}
    spreads: list[tuple[Interval, float]] = []
    used: dict[tuple[str, str], Part] = {}
    for row in found:
        suite, (_, weight) = row["suite"], shares[row["suite"]]
        slope = weight * scales[suite].slope(row["value"])
        of_suite = {key: part for key, part in parts.items() if key[0] == suite}
        if pd.notna(row["stderr"]):
            spreads.append((_around(row), slope))
            whole = Part(coefficient=slope, stderr=row["stderr"], n=row["n"], errors=None)
            used.update(_weighed(of_suite, slope) if of_suite else {(suite, ""): whole})
    value = math.fsum(share for share, _ in shares.values())
    below, above = (
        weighted_sum([one for one, _ in spreads], [slope for _, slope in spreads]) if spreads else (None, None)
    )
    return {
        **blank,
        "run_id": run_id,
        "score": value,
        "stderr": math.hypot(*(slope * (one.stderr or 0.0) for one, slope in spreads)) if spreads else None,
        "low": None if below is None else value + below,
        "high": None if above is None else value + above,
        "missing": missing,
    }, used


def _around(row: Mapping[str, Any]) -> Interval:
    """How far the truth may lie from a score: by its own interval, as the standard error of 0 of 4 is 0."""
    half = float(special.ndtri(UPPER)) * row["stderr"]
    low, high = (
        far if (end := row.get(name)) is None or pd.isna(end) else float(end) - row["value"]
        for name, far in (("low", -half), ("high", half))
    )
    return Interval(value=0.0, stderr=row["stderr"], low=low, high=high, method=None)


def _shares(
    found: Sequence[Mapping[str, Any]], scales: Mapping[str, Scale], weights: Mapping[str, float]
) -> dict[str, tuple[float, float]]:
    """By suite: what it adds to the score, and how much the score changes with its number from 0 to 1.

    Empty where dimensions that have to be earned are weighed and the run has none of them.
    """
    numbers = {row["suite"]: scales[row["suite"]].value(row["value"]) for row in found}
    total = math.fsum(weights[suite] for suite in numbers)
    earned = [suite for suite in numbers if scales[suite].is_earned]
    free = [suite for suite in numbers if not scales[suite].is_earned]
    if not any(scale.is_earned for scale in scales.values()):
        return {suite: (weights[suite] * numbers[suite] / total, weights[suite] / total) for suite in free}
    if not earned:
        return {}
    by_earned = math.fsum(weights[suite] for suite in earned)
    ability = math.fsum(weights[suite] * numbers[suite] for suite in earned) / by_earned
    harmless = math.fsum(weights[suite] * numbers[suite] for suite in free)
    # The derivatives of (sum of the earned ones + their mean x sum of the others) / total.
    slopes = {**dict.fromkeys(earned, (1 + harmless / by_earned) / total), **dict.fromkeys(free, ability / total)}
    factors = {**dict.fromkeys(earned, 1 / total), **dict.fromkeys(free, ability / total)}
    return {
        suite: (weights[suite] * factors[suite] * number, weights[suite] * slopes[suite])
        for suite, number in numbers.items()
    }


def _weighed(parts: Mapping[tuple[str, str], Part], slope: float) -> dict[tuple[str, str], Part]:
    return {
        key: Part(coefficient=slope * part.coefficient, stderr=part.stderr, n=part.n, errors=part.errors)
        for key, part in parts.items()
    }


def _add_ranks(rows: list[dict[str, Any]], parts: Mapping[str, RunParts]) -> None:
    placed = [row for row in rows if row["score"] is not None]
    values = [
        difference_p(one["score"] - other["score"], parts[one["run_id"]], parts[other["run_id"]])
        for one, other in pairwise(placed)
    ]
    corrected = holm(values)
    for place, row in enumerate(placed):
        separate = place == 0 or corrected[place - 1] < LEVEL
        row["rank"] = place + 1 if separate else placed[place - 1]["rank"]
        row["p_next"] = corrected[place] if place < len(corrected) else None


def _formula(weights: Mapping[str, float], scales: Mapping[str, Scale]) -> str:
    named = [suite for suite in weights if suite in scales]
    if not named:
        return "no dimension has a score"
    total = math.fsum(weights[suite] for suite in named)
    earned = [suite for suite in named if scales[suite].is_earned]
    free = [suite for suite in named if suite not in earned]
    first, rest = (
        " + ".join(f"{weights[suite] / total:.0%} {suite} ({scales[suite].words})" for suite in several)
        for several in (earned, free)
    )
    return f"{first} + (mean of these) x [{rest}]" if first and rest else first or rest


def _notes(chosen: pd.DataFrame, scales: Mapping[str, Scale | None], few: int | None) -> list[str]:
    notes = [f"no score of several dimensions below {FEWEST} runs that compare: here are {few}"] if few else []
    notes += [f"{suite} can't be weighed: its unit has no fixed ends" for suite, one in scales.items() if one is None]
    bare = sorted(set(chosen.loc[chosen["stderr"].isna(), "suite"]))
    if bare:
        notes.append(f"no error is known for {', '.join(bare)} of some runs: there it counts as exact")
    return notes
