"""The first page of an export: the ranks, what is set apart, and what can't be trusted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from harness.core.text.display import aim
from leaderboard.data import queries
from leaderboard.data.board import board
from leaderboard.data.points import WHOLE_RUN
from leaderboard.data.ranking import FEWEST, Ranking
from leaderboard.export.runs import BoardRuns
from leaderboard.export.tongue import Tongue

__all__ = ["RankedRuns", "board_page", "ranked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedRuns:
    """The runs that rank, as the leaderboard ranks them when nobody turns anything.

    `frame` is as of `leaderboard.data.board.board`; `scores` as of `queries.scores`; `apart` as of
    `queries.comparability`; `failed` are the rows of `queries.checkpoints` that can't be trusted.
    """

    frame: pd.DataFrame
    scores: pd.DataFrame
    apart: pd.DataFrame
    failed: pd.DataFrame
    ranking: Ranking

    @property
    def suites(self) -> list[str]:
        """The suites that a ranked run has a score in."""
        return list(dict.fromkeys(self.scores.loc[self.scores["value"].notna(), "suite"]))


def ranked(held: BoardRuns) -> RankedRuns:
    """Rank the latest run of each checkpoint and settings."""
    known = queries.checkpoints(held.store)
    sound = list(known.loc[known["status"] == "verified", "run_id"])
    apart = queries.comparability(held.store, sound)
    together = list(apart.loc[apart["apart"].isna(), "run_id"])
    scores = queries.scores(held.store, together)
    suites = list(dict.fromkeys(scores.loc[scores["value"].notna(), "suite"]))
    ranking = queries.ranking(held.store, together, scores, dict.fromkeys(suites, 1.0))
    energy = queries.estimates(held.store, together, task=WHOLE_RUN, metric="energy_joules")
    return RankedRuns(
        frame=board(known, ranking, scores[scores["suite"].isin(suites)], energy, held.names),
        scores=scores,
        apart=apart[apart["apart"].notna()],
        failed=known[known["status"] != "verified"],
        ranking=ranking,
    )


def board_page(held: BoardRuns, found: RankedRuns, tongue: Tongue) -> str:
    """The page in one language."""
    columns = [_column(held, found, suite, tongue) for suite in found.suites]
    rows = [_row(held, row, found.suites, tongue) for row in found.frame.to_dict("records")]
    apart = [
        (held.names[row["run_id"]], row["run_id"], tongue.reason(row["apart"]))
        for row in found.apart.to_dict("records")
    ]
    failed = [
        (row["name"], row["run_id"], tongue.reason(row["reason"], row.get("wording")))
        for row in found.failed.to_dict("records")
    ]
    return tongue.page(
        "board.jinja",
        "index.html",
        columns=columns,
        rows=rows,
        apart=apart,
        failed=failed,
        kinds=sorted({row["kind"] for row in rows if row["kind"]}),
        fewest=FEWEST,
        has_total=bool(found.frame["score"].notna().any()),
        has_energy=bool(found.frame["energy_joules"].notna().any()),
        ranking=found.ranking,
    )


def _column(held: BoardRuns, found: RankedRuns, suite: str, tongue: Tongue) -> dict[str, Any]:
    """What stands above the scores of a suite: title, metric, unit, what is best, what guessing gives."""
    first = found.scores[found.scores["suite"] == suite].iloc[0]
    scales = {held.scale(run_id, suite, tongue): None for run_id in found.frame["run_id"]}
    return {
        "title": tongue.title(suite),
        "aim": aim(first["direction"], first["target"]),
        "told": f"{tongue.metric(suite, first['metric'])} ({tongue.words.unit(first['unit'])})",
        "scale": " / ".join(filter(None, scales)),
    }


def _row(held: BoardRuns, row: Mapping[Any, Any], suites: list[str], tongue: Tongue) -> dict[str, Any]:
    run_id = str(row["run_id"])
    return {
        **{name: _known(row[name]) for name in ("rank", "checkpoint", "kind", "dtype", "date", "verdict")},
        "run_id": run_id,
        "total": _known(row["score"]),
        "total_reach": (_known(row["score_low"]), _known(row["score_high"])),
        "cells": [_cell(held, row, run_id, suite, tongue) for suite in suites],
        "joules": _known(row["energy_joules"]),
        "basis": tongue.say(row["energy_basis"]) if _known(row["energy_basis"]) else "",
        "millions": _known(row["parameters_millions"]),
    }


def _cell(held: BoardRuns, row: Mapping[Any, Any], run_id: str, suite: str, tongue: Tongue) -> dict[str, Any]:
    value, low, high = (_known(row[name]) for name in (suite, f"{suite}_low", f"{suite}_high"))
    drawn = held.drawn(run_id, suite, tongue) if value is not None else None
    return {"value": value, "low": low, "high": high, "drawn": drawn}


def _known(value: Any) -> Any:
    return None if value is None or pd.isna(value) else value
