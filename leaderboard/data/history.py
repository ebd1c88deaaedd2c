"""One checkpoint's lineage over the steps of its training, or over time, and where it got worse."""

from collections.abc import Mapping, Sequence

import pandas as pd
from sqlalchemy import select

from harness.core.statistics import holm
from harness.store import Store
from harness.store.schema import runs as _runs
from leaderboard.data import queries
from leaderboard.data.comparability import Asked, suite_differs
from leaderboard.data.pairs import Part, difference_p
from leaderboard.data.ranking import LEVEL

__all__ = ["by_step", "drawn_rows", "history_of"]


def history_of(store: Store, run_id: str) -> pd.DataFrame:
    """One row a run and suite of the lineage of `run_id`, in order: the columns of `queries.scores`, and started_at,
    model, lineage, step, previous_run_id, line, p_value, regressed.

    A lineage is the training that the run is said to be of. Where nothing was said, it is what descends from the same
    checkpoint: runs of the same weights, of weights that name them as their parent, and of what goes by the same name.
    Where its runs stand at two steps or more, they are in the order of these: those without a step come last, and have
    no predecessor; of several runs of a suite at one step the last is taken. Otherwise the oldest comes first.
    `previous_run_id` is the last run before that may be compared with it in the suite, None where there is none; `line`
    is a number that the runs of a suite share which follow each other so. `p_value` is that of the difference to it,
    paired by sample where both had the same ones, corrected by Holm's method over all of the lineage. `regressed` says
    that the run is worse and that p is below 0.05.
    """
    lineage = _lineage(store, run_id)
    scores = queries.scores(store, list(lineage["run_id"]))
    rows = lineage[["run_id", "started_at", "model", "lineage", "step"]].merge(scores, on="run_id")
    rows = _in_order(rows[rows["value"].notna()])
    earlier = _previous(rows, queries.asked(store, list(lineage["run_id"])))
    named = [rows["run_id"][place] if place is not None else None for place in earlier]
    rows["previous_run_id"] = pd.Series(named, dtype=object)
    rows["line"] = pd.Series(_lines(earlier), dtype=int)
    before = pd.Series([rows["value"][place] if place is not None else float("nan") for place in earlier], dtype=float)
    parts = queries.part_estimates(store, list(lineage["run_id"]), list(dict.fromkeys(rows["suite"])))
    tested = [place for place in rows.index if pd.notna(before[place])]
    found = holm([_p_value(rows.loc[place].to_dict(), float(before[place]), parts) for place in tested])
    rows["p_value"] = pd.Series(list(found), index=tested, dtype=float).reindex(rows.index)
    rows["regressed"] = [
        bool(p < LEVEL and _worse(row, previous))
        for p, row, previous in zip(rows["p_value"], rows.to_dict("records"), before, strict=True)
    ]
    return rows


def by_step(rows: pd.DataFrame) -> bool:
    """Whether the rows of a history lie on an axis of steps."""
    return int(rows["step"].nunique()) > 1


def drawn_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Of a history what is drawn: over steps the runs that say theirs, else all of them, without the column."""
    return rows[rows["step"].notna()] if by_step(rows) else rows.drop(columns="step")


def _in_order(rows: pd.DataFrame) -> pd.DataFrame:
    """By step, where there are several, and of each step and suite the last run; else by time."""
    over_time = ["started_at", "run_id", "suite"]
    if not by_step(rows):
        return rows.sort_values(over_time, kind="stable").reset_index(drop=True)
    ordered = rows.sort_values(["step", *over_time], kind="stable", na_position="last")
    again = ordered.duplicated(["step", "suite"], keep="last") & ordered["step"].notna()
    return ordered[~again].reset_index(drop=True)


def _lineage(store: Store, run_id: str) -> pd.DataFrame:
    """Verified runs of the same training; of none, those of the same weights, their parents and descendants, and what
    goes by the same name."""
    columns = [_runs.c[name] for name in _COLUMNS]
    with store.reading() as connection:
        result = connection.execute(select(*columns).where(_runs.c.status == "verified"))
        known = pd.DataFrame(result.fetchall(), columns=list(result.keys()), dtype=object).astype({"step": "Int64"})
    family = known["run_id"] == run_id
    if len(named := known.loc[family, "lineage"].dropna()):
        of_training: pd.DataFrame = known[known["lineage"] == named.iloc[0]]
        return of_training
    # Trainings call their checkpoints alike, so a name ties only what nobody said to be of one.
    loose = known["lineage"].isna()
    while True:
        models = set(known.loc[family & loose, "model"])
        prints = set(known.loc[family, ["fingerprint", "parent_fingerprint"]].stack().dropna())
        wider = family | (known["model"].isin(models) & loose) | known["fingerprint"].isin(prints)
        wider |= known["parent_fingerprint"].isin(prints)
        if wider.equals(family):
            return known[family]
        family = wider


_COLUMNS = ("run_id", "started_at", "model", "lineage", "step", "fingerprint", "parent_fingerprint")


def _previous(rows: pd.DataFrame, asked: Mapping[str, Asked]) -> list[int | None]:
    """For each row, the place of the last before it that is of the same suite and may be compared with it."""
    seen: dict[str, list[int]] = {}
    found: list[int | None] = []
    loose = rows["step"].isna() & by_step(rows)
    for place, (run_id, suite) in enumerate(zip(rows["run_id"], rows["suite"], strict=True)):
        if loose[place]:
            found.append(None)
            continue
        earlier = seen.setdefault(suite, [])
        alike = (
            one for one in reversed(earlier) if not suite_differs(asked[rows["run_id"][one]], asked[run_id], suite)
        )
        found.append(next(alike, None))
        earlier.append(place)
    return found


def _lines(earlier: Sequence[int | None]) -> list[int]:
    """The number of each row's line: that of its predecessor, else a new one."""
    found: list[int] = []
    for place, before in enumerate(earlier):
        found.append(place if before is None else found[before])
    return found


def _p_value(row: dict[object, object], before: float, parts: dict[str, dict[tuple[str, str], Part]]) -> float:
    mine, previous = (
        {key: part for key, part in parts.get(str(one), {}).items() if key[0] == row["suite"]}
        for one in (row["run_id"], row["previous_run_id"])
    )
    return difference_p(float(str(row["value"])) - before, mine, previous)


def _worse(row: dict[object, object], before: float) -> bool:
    value, target = float(str(row["value"])), row["target"]
    if row["direction"] == "higher":
        return value < before
    if row["direction"] == "lower":
        return value > before
    return abs(value - float(str(target))) > abs(before - float(str(target)))
