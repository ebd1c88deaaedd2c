"""The table of the leaderboard: one row a checkpoint, as people read it and as others download it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from harness.core.text.display import number
from leaderboard.data.ranking import Ranking

__all__ = ["Filters", "board", "filtered", "intervals"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which checkpoints to show; what is empty lets all pass. Sizes are in millions of parameters."""

    kinds: Sequence[str] = ()
    languages: Sequence[str] = ()
    smallest: float = 0.0
    largest: float = float("inf")
    verified_only: bool = True
    text: str = ""


def filtered(checkpoints: pd.DataFrame, filters: Filters) -> pd.DataFrame:
    """The rows that pass. A checkpoint of unknown size passes unless the sizes are narrowed."""
    keep = pd.Series(True, index=checkpoints.index)
    if filters.verified_only:
        keep &= checkpoints["status"] == "verified"
    if filters.kinds:
        keep &= checkpoints["kind"].isin(filters.kinds)
    if filters.languages:
        keep &= checkpoints["languages"].map(lambda spoken: bool(set(spoken) & set(filters.languages)))
    millions = checkpoints["parameter_count"].astype("Float64") / 1e6
    if filters.smallest > 0 or filters.largest != float("inf"):
        keep &= millions.between(filters.smallest, filters.largest).fillna(False).astype(bool)
    if filters.text:
        wanted = filters.text.casefold()
        texts = checkpoints["model"] + " " + checkpoints["run_id"]
        keep &= texts.map(lambda text: wanted in text.casefold())
    return checkpoints[keep]


def board(
    checkpoints: pd.DataFrame, ranking: Ranking, scores: pd.DataFrame, energy: pd.DataFrame, names: Mapping[str, str]
) -> pd.DataFrame:
    """One row a run in the order of the ranks: run_id, rank, checkpoint, kind, dtype, parameters_millions, date, score,
    score_low, score_high, for each suite its value, `SUITE_low` and `SUITE_high`, energy_joules, energy_basis, verdict.

    What is missing is blank, never 0.
    """
    about = checkpoints.set_index("run_id")
    rows = ranking.frame.set_index("run_id")
    frame = pd.DataFrame(
        {
            "run_id": rows.index,
            "rank": rows["rank"].to_numpy(),
            "checkpoint": [names[run_id] for run_id in rows.index],
            "kind": about["kind"].reindex(rows.index).to_numpy(),
            "dtype": about["dtype"].reindex(rows.index).to_numpy(),
            "parameters_millions": (about["parameter_count"].reindex(rows.index) / 1e6).to_numpy(dtype=float),
            "date": about["started_at"].reindex(rows.index).str[:10].to_numpy(),
            "score": rows["score"].to_numpy(),
            "score_low": rows["low"].to_numpy(),
            "score_high": rows["high"].to_numpy(),
        }
    )
    for suite, of_suite in scores.groupby("suite", sort=False):
        by_run = of_suite.set_index("run_id").reindex(rows.index)
        for column, field in ((suite, "value"), (f"{suite}_low", "low"), (f"{suite}_high", "high")):
            frame[column] = pd.to_numeric(by_run[field]).to_numpy(dtype=float)
    joules = energy.drop_duplicates("run_id").set_index("run_id").reindex(rows.index)
    frame["energy_joules"] = pd.to_numeric(joules["value"]).to_numpy(dtype=float)
    frame["energy_basis"] = joules["basis"].where(joules["value"].notna(), None).to_numpy()
    frame["verdict"] = about["verdict"].reindex(rows.index).to_numpy()
    return frame


def intervals(frame: pd.DataFrame, column: str) -> list[str]:
    """A column's values with their intervals in words, empty where there is no value."""
    columns = (frame[column], frame[f"{column}_low"], frame[f"{column}_high"])
    return [
        ""
        if pd.isna(value)
        else number(value)
        if pd.isna(low) or pd.isna(high)
        else f"{number(value)}  [{number(low)}, {number(high)}]"
        for value, low, high in zip(*columns, strict=True)
    ]
