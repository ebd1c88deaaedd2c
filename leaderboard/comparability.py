"""Which runs were asked the same, and what sets the others apart."""

from collections import Counter
from collections.abc import Sequence

import pandas as pd

__all__ = ["set_apart"]

_SHOWN = 3


def set_apart(suites: pd.DataFrame, tasks: pd.DataFrame, run_ids: Sequence[str], reference: str | None) -> pd.DataFrame:
    """One row a run: run_id, apart (None where it compares with the reference, else the reason), reference (its run).

    Two runs compare where every suite that both have asks the same: tasks, versions, exemplars, data, requests,
    headline; and they have one in common. The reference is the run whose suites most runs share in full, unless it's
    given. `suites` and `tasks` are rows of the store's tables of these names.
    """
    asked = {run_id: {} for run_id in run_ids}  # type: dict[str, dict[str, str]]
    for row in suites[suites["run_id"].isin(asked)].itertuples():
        asked[str(row.run_id)][str(row.suite)] = str(row.comparison_sha256)
    chosen = reference if reference in asked else _commonest(asked)
    details = dict(iter(tasks.groupby("run_id", sort=False)))
    reasons: dict[tuple[tuple[str, str], ...], str | None] = {}
    rows = []
    for run_id, mine in asked.items():
        key = tuple(sorted(mine.items()))
        if chosen is not None and key not in reasons:
            reasons[key] = _reason(mine, asked[chosen], details.get(run_id), details.get(chosen))
        rows.append({"run_id": run_id, "apart": reasons.get(key), "reference": chosen})
    return pd.DataFrame(rows, columns=["run_id", "apart", "reference"], dtype=object)


def _commonest(asked: dict[str, dict[str, str]]) -> str | None:
    """The first run of the most frequent combination; of equally frequent ones, that with more suites."""
    combinations = Counter(tuple(sorted(suites.items())) for suites in asked.values() if suites)
    if not combinations:
        return None
    best = max(combinations, key=lambda one: (combinations[one], len(one), one))
    return next(run_id for run_id, suites in asked.items() if tuple(sorted(suites.items())) == best)


def _reason(
    mine: dict[str, str], theirs: dict[str, str], my_tasks: pd.DataFrame | None, their_tasks: pd.DataFrame | None
) -> str | None:
    common = [suite for suite in mine if suite in theirs]
    if not common:
        return "has no suite in common with the others"
    differing = [suite for suite in common if mine[suite] != theirs[suite]]
    if not differing:
        return None
    said = [
        f"{suite}: {_difference(_of(my_tasks, suite), _of(their_tasks, suite))}" for suite in sorted(differing)[:_SHOWN]
    ]
    more = f"; and {len(differing) - _SHOWN} more suites" if len(differing) > _SHOWN else ""
    return "; ".join(said) + more


def _of(tasks: pd.DataFrame | None, suite: str) -> pd.DataFrame:
    if tasks is None:
        return pd.DataFrame(columns=["task"]).set_index("task")
    return tasks[tasks["suite"] == suite].drop_duplicates("task").set_index("task")


_FIELDS = (
    ("version", "is of version {mine}, not {theirs}"),
    ("num_fewshot", "has {mine} exemplars, not {theirs}"),
    ("sample_count", "has {mine} samples, not {theirs}"),
    ("data_sha256", "reads other data"),
    ("definition_sha256", "is defined otherwise"),
    ("requests_sha256", "asks otherwise (other samples, exemplars or prompts)"),
)


def _difference(mine: pd.DataFrame, theirs: pd.DataFrame) -> str:
    if lacking := [task for task in theirs.index if task not in mine.index]:
        return f"lacks {lacking[0]}"
    if added := [task for task in mine.index if task not in theirs.index]:
        return f"has {added[0]} besides"
    for field, words in _FIELDS:
        for task in mine.index:
            one, other = mine.loc[task, field], theirs.loc[task, field]
            if one != other and not (pd.isna(one) and pd.isna(other)):
                return f"{task} {words.format(mine=one, theirs=other)}"
    return "its score is made of other tasks"
