"""The page of what became of checkpoints: each training over its steps, any other lineage over time."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from harness.charts import history, to_svg
from leaderboard.data.history import drawn_rows, history_of
from leaderboard.export.folder import Sheaf
from leaderboard.export.runs import BoardRuns
from leaderboard.export.tongue import Tongue

__all__ = ["history_page", "lineages"]


def lineages(held: BoardRuns) -> list[pd.DataFrame]:
    """What is drawn of each history that has two runs or more, each once: see `history_of`."""
    found: list[pd.DataFrame] = []
    seen: set[str] = set()
    for run_id in held.rows["run_id"]:
        if run_id not in seen:
            rows = drawn_rows(history_of(held.store, run_id))
            seen |= {run_id, *rows["run_id"]}
            found += [rows] if rows["run_id"].nunique() > 1 else []
    return found


def history_page(held: BoardRuns, found: Sequence[pd.DataFrame], tongue: Tongue, sheaf: Sheaf) -> str:
    """The page in one language, whose figures go into the sheaf."""
    told = [_lineage(held, place, rows, tongue, sheaf) for place, rows in enumerate(found)]
    return tongue.page("history.jinja", "history.html", lineages=told)


def _lineage(held: BoardRuns, place: int, rows: pd.DataFrame, tongue: Tongue, sheaf: Sheaf) -> dict[str, Any]:
    named = rows.assign(
        name=[held.names[run_id] for run_id in rows["run_id"]], title=list(map(tongue.title, rows["suite"]))
    )
    first, training = named.iloc[0], named["lineage"].dropna()
    return {
        "name": training.iloc[0] if len(training) else first["model"],
        "count": named["run_id"].nunique(),
        "has_steps": "step" in named,
        "worse": [_row(row) for row in named[named["regressed"].astype(bool)].to_dict("records")],
        "figures": _figures(place, named, tongue, sheaf),
        "suites": [
            (of_suite["title"].iloc[0], [_row(row) for row in of_suite.to_dict("records")])
            for _, of_suite in named.groupby(["suite", "metric"], sort=False)
        ],
    }


def _row(row: Mapping[Any, Any]) -> dict[str, Any]:
    told = {name: row[name] for name in ("title", "name", "run_id", "value", "low", "high", "n", "regressed")}
    return {**told, "date": str(row["started_at"])[:16].replace("T", " "), "step": row.get("step")}


def _figures(place: int, named: pd.DataFrame, tongue: Tongue, sheaf: Sheaf) -> list[tuple[str, str]]:
    """A file for each headline that several runs have."""
    found = []
    for number, (_, of_suite) in enumerate(named.groupby(["suite", "metric"], sort=False)):
        if of_suite["run_id"].nunique() > 1:
            file = f"data/history/{tongue.code}-{place}-{number}.svg"
            title = str(of_suite["title"].iloc[0])
            sheaf.put(file, to_svg(history(of_suite.assign(suite=title), "light", tongue.code), width=400))
            found.append((file, title))
    return found
