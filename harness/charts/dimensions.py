"""Every dimension of several runs at a glance, each on a scale of its own; one score over time or training."""

import altair as alt
import pandas as pd

from harness.charts.axes import by_name, dates_axis, drawn, steps_axis, title_of
from harness.charts.theme import Chart, Panels, Theme, chart_words, inks
from harness.core.text.display import elided

__all__ = ["by_quantity", "dimensions"]

_PANEL = 190
"""Pixels of a panel's width."""


def dimensions(scores: pd.DataFrame, theme: Theme = "light", language: str = "en") -> Panels:  # noqa: ARG001
    """A panel a suite, with the headline of each run and its 95 % interval.

    `scores` has `name` beside the fields of `Estimate`, all rows headlines; rows without a value are left out.
    """
    t, panels = chart_words(language), []
    marks = by_name(list(scores["name"]), t("checkpoint"))
    for suite, of_suite in scores[scores["value"].notna()].groupby("suite", sort=False):
        first = of_suite.iloc[0]
        rows = drawn(of_suite, ["name", "value", "low", "high", "n"])
        measure = title_of(t, first["metric"], first["unit"], first["direction"], first["target"])
        across = alt.X("value:Q", title=measure, scale=alt.Scale(zero=False, padding=12), axis=alt.Axis(tickCount=3))
        base = alt.Chart(rows).encode(
            y=alt.Y("name:N", title=None, sort=list(rows["name"]), axis=None),
            tooltip=[alt.Tooltip("name:N", title=t("checkpoint")), *_told(measure)],
        )
        layers = alt.layer(
            base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", title=measure), x2="high:Q", color=marks["color"]),
            base.mark_point(filled=True, size=80, opacity=1).encode(x=across, **marks),
        )
        panels.append(layers.properties(title=elided(str(suite)), width=_PANEL, height=24 * len(rows) + 12))
    return alt.concat(*panels, columns=4).resolve_scale(color="shared", shape="shared")


def by_quantity(scores: pd.DataFrame, x: str, theme: Theme = "light", language: str = "en") -> Chart:
    """One score of several runs over their dates or the steps of their training, with 95 % intervals.

    `scores` has `name`, `series` (a line joins the runs of each) and the column `x`, `started_at` (UTC) or `step`,
    beside the fields of `Estimate`, all rows of one score; rows without a value are left out.
    """
    t, first = chart_words(language), scores.iloc[0]
    rows = drawn(scores, ["name", "series", x, "value", "low", "high", "n"]).sort_values(x, kind="stable")
    if x == "started_at":
        rows[x] = pd.to_datetime(rows[x], utc=True).dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    measure = title_of(t, first["metric"], first["unit"], first["direction"], first["target"])
    base = alt.Chart(rows).encode(
        x=dates_axis(t) if x == "started_at" else steps_axis(t),
        tooltip=[alt.Tooltip("name:N", title=t("checkpoint")), *_told(measure)],
    )
    up = alt.Y("value:Q", title=measure, scale=alt.Scale(zero=False, padding=12))
    marks = by_name(list(rows["name"]), t("checkpoint"))
    layers = (
        base.mark_line(strokeWidth=1.5, color=inks(theme).faint).encode(y=up, detail="series:N"),
        base.mark_rule(strokeWidth=2).encode(y=alt.Y("low:Q", title=measure), y2="high:Q", color=marks["color"]),
        base.mark_point(filled=True, size=90, opacity=1).encode(y=up, **marks),
    )
    return alt.layer(*layers).properties(title=elided(str(first["suite"])), width=520, height=260)


def _told(measure: str) -> list[alt.Tooltip]:
    return [alt.Tooltip("shown:N", title=measure), alt.Tooltip("n:Q", title="n")]
