"""Words and scales that the axes of several charts share."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from harness.charts.theme import PALETTE, SHAPES
from harness.core.scores import SampleGroup
from harness.core.text.display import aim, apart, elided, number
from harness.core.text.translation import Translate

__all__ = ["LABEL", "by_name", "dates_axis", "drawn", "interval_words", "is_grouped_by", "steps_axis", "title_of"]

LABEL = 26
"""Characters that have room beside an axis: a drawing cuts what is longer at its end, where names mostly differ."""


def title_of(t: Translate, metric: str, unit: str, direction: str | None = None, target: float | None = None) -> str:
    """A measure with its unit and the way that is better, as an axis says it."""
    return f"{elided(t(metric), 40)} ({t(unit)}) {aim(direction, target)}".rstrip()


_STEP = "format(datum.value, datum.value < 1000 ? 'd' : '~s')"
"""How a step stands below its tick: thousands as k, but 0 as 0."""


def interval_words(row: Mapping[Hashable, Any]) -> str:
    """A value with its interval, as a tooltip says it."""
    if pd.isna(row["value"]):
        return ""
    if pd.isna(row["low"]) or pd.isna(row["high"]):
        return number(row["value"])
    return f"{number(row['value'])} [{number(row['low'])}, {number(row['high'])}]"


def drawn(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """What a chart draws: these columns of the rows that have a value, texts made visible and short.

    A column `shown` says value and interval in words.
    """
    rows = frame.loc[frame["value"].notna(), list(columns)].copy()
    rows["shown"] = [interval_words(row) for row in rows[["value", "low", "high"]].to_dict("records")]
    for column in ("name", "group"):
        if column in rows:
            rows[column] = apart([str(text) for text in rows[column]], LABEL)
    return rows


def is_grouped_by(frame: pd.DataFrame, attribute: str) -> "pd.Series[bool]":
    """Which rows are of a group of the attribute; `group` is as in an estimate's row."""
    found = [isinstance(text, str) and SampleGroup.parse(text).attribute == attribute for text in frame["group"]]
    return pd.Series(found, index=frame.index, dtype=bool)


def by_name(names: Sequence[str], title: str) -> dict[str, Any]:
    """Colour and shape of runs by name, in the order given; no legend for one alone."""
    shown = list(dict.fromkeys(apart(names, LABEL)))
    legend = alt.Legend() if len(shown) > 1 else None
    colours = [PALETTE[index % len(PALETTE)] for index in range(len(shown))]
    shapes = [SHAPES[index % len(SHAPES)] for index in range(len(shown))]
    return {
        "color": alt.Color(
            "name:N", title=title, sort=shown, legend=legend, scale=alt.Scale(domain=shown, range=colours)
        ),
        "shape": alt.Shape(
            "name:N", title=title, sort=shown, legend=legend, scale=alt.Scale(domain=shown, range=shapes)
        ),
    }


def dates_axis(t: Translate) -> alt.X:
    """Each point at its date, in UTC, of the column `started_at`."""
    return alt.X(
        "started_at:T",
        title=t("date of the run (UTC)"),
        axis=alt.Axis(labelAngle=0, tickCount=4, format=t("%d %b %H:%M")),
        scale=alt.Scale(type="utc", padding=20),
    )


def steps_axis(t: Translate) -> alt.X:
    """Each point at its step, of the column `step`, at distances as the training has them; thousands as k."""
    return alt.X(
        "step:Q",
        title=t("step of the training"),
        axis=alt.Axis(labelAngle=0, tickCount=5, tickMinStep=1, labelExpr=_STEP),
        scale=alt.Scale(zero=False, nice=False, padding=20),
    )
