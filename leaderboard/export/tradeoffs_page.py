"""The page of what a score costs: it against each cost that is known, and all dimensions of each checkpoint."""

from typing import Any

import pandas as pd

from harness.charts import MOST, SCALE, radar, to_svg, tradeoff
from leaderboard.data import queries
from leaderboard.data.points import WHOLE_RUN, axis_of, known_costs, performance_first, scaled_axis
from leaderboard.export.board_page import RankedRuns
from leaderboard.export.folder import Sheaf
from leaderboard.export.runs import BoardRuns
from leaderboard.export.tongue import Tongue

__all__ = ["tradeoffs_page"]

_RADAR = 320
"""Pixels of a radar's side."""


def tradeoffs_page(held: BoardRuns, found: RankedRuns, tongue: Tongue, sheaf: Sheaf) -> str:
    """The page in one language, whose figures go into the sheaf; of the runs that rank, as the board shows at first."""
    ids = list(dict.fromkeys(found.scores["run_id"]))
    rows = held.rows[held.rows["run_id"].isin(ids)]
    energy = queries.estimates(held.store, ids, task=WHOLE_RUN)
    suites = performance_first(found.scores)
    costs = known_costs(suites[0], rows, found.scores, energy, held.names) if suites else {}
    return tongue.page(
        "tradeoffs.jinja",
        "tradeoffs.html",
        up=tongue.title(suites[0]) if suites else "",
        figures=[_figure(one, frame, suites[0], found, tongue, sheaf) for one, frame in costs.items()],
        columns=[axis_of(one, found.scores, tongue.say, tongue.title) for one in costs],
        rows=_rows(list(costs.values())),
        radars=_radars(held, found, suites, tongue, sheaf),
        scale=tongue.say(SCALE),
    )


def _figure(
    cost: str, frame: pd.DataFrame, up: str, found: RankedRuns, tongue: Tongue, sheaf: Sheaf
) -> tuple[str, str]:
    """The file of a trade-off, and what it shows."""
    x, y = (axis_of(one, found.scores, tongue.say, tongue.title) for one in (cost, up))
    file = f"data/tradeoffs/{tongue.code}-{cost}.svg"
    sheaf.put(file, to_svg(tradeoff(frame, x, y, "light", tongue.code), width=460))
    return file, tongue.say("{y} against {x}", y=y.metric, x=x.metric)


def _rows(made: list[pd.DataFrame]) -> list[dict[str, Any]]:
    """One row a run: its score, and each cost."""
    if not made:
        return []
    by_cost = [costs.set_index("run_id")["x"] for costs in made]
    return [
        {
            **{name: row[name] for name in ("run_id", "name", "y")},
            "low": row["y_low"],
            "high": row["y_high"],
            "costs": [float(one[row["run_id"]]) for one in by_cost],
        }
        for row in made[0].to_dict("records")
    ]


def _radars(
    held: BoardRuns, found: RankedRuns, suites: list[str], tongue: Tongue, sheaf: Sheaf
) -> list[tuple[str, str]]:
    """One drawing of all checkpoints, or one of each."""
    titled = found.scores.assign(suite=[tongue.title(suite) for suite in found.scores["suite"]])
    scaled = scaled_axis(titled, held.names)
    names, spokes = list(dict.fromkeys(scaled["name"])), list(map(tongue.title, suites))
    groups = [names] if 0 < len(names) <= MOST else [[name] for name in names]
    drawn = []
    for place, group in enumerate(groups):
        file = f"data/tradeoffs/{tongue.code}-all-{place}.svg"
        sheaf.put(file, to_svg(radar(scaled[scaled["name"].isin(group)], spokes, "light", tongue.code, size=_RADAR)))
        drawn.append((file, tongue.words(", ").join(group)))
    return drawn
