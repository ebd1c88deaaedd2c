"""What one good thing costs of another: a scatter with error bars, and the checkpoints that none other beats."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.charts.axes import title_of
from harness.charts.theme import PALETTE, Chart, Theme, chart_words, inks
from harness.core.text.display import apart, elided, number

__all__ = ["Axis", "pareto_front", "tradeoff"]

_NAME = 36
"""Characters of a name, which stands in the drawing, not beside it."""
_LABELLED = 12
"""Beyond so many points their names are in tooltips only."""
_HEIGHT, _LINE = 380, 15
"""Pixels of the drawing, and of a line of text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One side of a trade-off: what it is, in which unit, and which way is better."""

    metric: str
    unit: str
    direction: Literal["higher", "lower"]
    log: bool = False


def pareto_front(points: pd.DataFrame, x: Axis, y: Axis) -> "pd.Series[bool]":
    """Which rows of `points` (columns `x` and `y`) no other row beats: better on one side, no worse on the other.

    Values alone decide, not their errors. Rows that lack a value are never on it.
    """
    signs = [1 if axis.direction == "higher" else -1 for axis in (x, y)]
    values = points[["x", "y"]].to_numpy(dtype=float) * signs
    known: NDArray[np.bool_] = ~np.asarray(np.isnan(values).any(axis=1), dtype=bool)
    beaten = [
        bool(((values >= one).all(axis=1) & (values > one).any(axis=1) & known).any()) if ok else True
        for one, ok in zip(values, known.tolist(), strict=True)
    ]
    return pd.Series(~np.array(beaten, dtype=bool), index=points.index)


def tradeoff(points: pd.DataFrame, x: Axis, y: Axis, theme: Theme = "light", language: str = "en") -> Chart:
    """Checkpoints by two measures, with 95 % intervals; those on the Pareto front are filled and joined.

    `points` has name, x, x_low, x_high, y, y_low, y_high; rows that lack a side are left out.
    """
    t = chart_words(language)
    rows = points.dropna(subset=["x", "y"]).copy()
    rows["front"] = pareto_front(rows, x, y)
    rows["kind"] = np.where(rows["front"], t("on the Pareto front"), t("beaten by another"))
    rows["name"] = apart([str(name) for name in rows["name"]], _NAME)
    for side in ("x", "y"):
        rows[f"{side}_shown"] = [_shown(row, side) for _, row in rows.iterrows()]
    across = alt.X("x:Q", title=title_of(t, x.metric, x.unit, x.direction), scale=_scale(x, rows, "x"))
    upward = {"title": title_of(t, y.metric, y.unit, y.direction), "scale": _scale(y, rows, "y")}
    up = alt.Y("y:Q", **upward)
    base = alt.Chart(rows).encode(
        x=across,
        y=up,
        tooltip=[
            alt.Tooltip("name:N", title=t("checkpoint")),
            alt.Tooltip("y_shown:N", title=title_of(t, y.metric, y.unit)),
            alt.Tooltip("x_shown:N", title=title_of(t, x.metric, x.unit)),
            alt.Tooltip("kind:N", title=" "),
        ],
    )
    layers: list[alt.Chart] = [
        _front_line(rows, across, up),
        *(
            base.mark_rule(opacity=0.55).encode(**{side: f"{side}_low:Q", f"{side}2": f"{side}_high:Q"})
            for side in ("x", "y")
            if rows[f"{side}_low"].notna().any()
        ),
        base.mark_point(size=110, filled=True, opacity=1).encode(**_marks(t)),
    ]
    if len(rows) <= _LABELLED:
        layers += _labels(base, rows, alt.Y("label_at:Q", **upward), theme)
    title = t("{y} against {x}").format(y=elided(y.metric, 40), x=elided(x.metric, 40))
    return alt.layer(*layers).properties(title=title, height=_HEIGHT)


def _labels(base: alt.Chart, rows: pd.DataFrame, up: alt.Y, theme: Theme) -> list[alt.Chart]:
    """Names beside their points, on the side that has room, none on another's: `up` is of where they stand."""
    middle = (rows["x"].min() + rows["x"].max()) / 2
    sides = (("left", 9, rows[rows["x"] <= middle]), ("right", -9, rows[rows["x"] > middle]))
    line = _LINE / _HEIGHT * _span(rows, "y")
    return [
        base.properties(data=mine.assign(label_at=_spread(list(mine["y"]), line)))
        .mark_text(align=align, dx=dx, dy=-9, color=inks(theme).text)
        .encode(y=up, text="name:N")
        for align, dx, mine in sides
        if len(mine)
    ]


def _spread(heights: list[float], line: float) -> list[float]:
    """The same heights in their order from below, each at least a line above that below it."""
    placed, last = dict[int, float](), -math.inf
    for place, height in sorted(enumerate(heights), key=lambda pair: pair[1]):
        last = placed[place] = max(height, last + line)
    return [placed[place] for place in range(len(heights))]


def _front_line(rows: pd.DataFrame, across: alt.X, up: alt.Y) -> alt.Chart:
    front = rows.loc[rows["front"], ["x", "y"]].sort_values("x")
    line = alt.Chart(front).mark_line(color=PALETTE[0], strokeDash=[5, 4], strokeWidth=1.5)
    return line.encode(x=across, y=up, order="x:Q")


def _marks(t: Any) -> dict[str, Any]:
    domain = [t("on the Pareto front"), t("beaten by another")]
    return {
        "color": alt.Color("kind:N", title=None, scale=alt.Scale(domain=domain, range=[PALETTE[0], PALETTE[1]])),
        "shape": alt.Shape("kind:N", title=None, scale=alt.Scale(domain=domain, range=["circle", "square"])),
    }


def _scale(axis: Axis, rows: pd.DataFrame, side: str) -> alt.Scale:
    """With room around the points, but none below 0 for what can't be less."""
    if axis.log:
        return alt.Scale(type="log", nice=True)
    low, high = _ends(rows, side)
    room = 0.06 * (high - low) or 0.1 * abs(high) or 1.0
    first = low - room
    return alt.Scale(domain=[0.0 if low >= 0 > first else first, high + room], zero=False, nice=True)


def _ends(rows: pd.DataFrame, side: str) -> tuple[float, float]:
    """The least and the most of a side, intervals among it; of nothing 0 and 1."""
    known = rows[[side, f"{side}_low", f"{side}_high"]].astype(float).to_numpy()
    return (0.0, 1.0) if np.isnan(known).all() else (float(np.nanmin(known)), float(np.nanmax(known)))


def _span(rows: pd.DataFrame, side: str) -> float:
    low, high = _ends(rows, side)
    return high - low


def _shown(row: "pd.Series[Any]", side: str) -> str:
    value, low, high = row[side], row[f"{side}_low"], row[f"{side}_high"]
    return number(value) if pd.isna(low) or pd.isna(high) else f"{number(value)} [{number(low)}, {number(high)}]"
