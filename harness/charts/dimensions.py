"""Every dimension of several runs at a glance, each on a scale of its own; one score of several runs by a quantity."""

import altair as alt
import pandas as pd

from harness.charts.axes import by_name, drawn, title_of
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


def by_quantity(scores: pd.DataFrame, theme: Theme = "light", language: str = "en") -> Chart:
    """One score of several runs by a quantity `x`, a number or a time (UTC), with 95 % intervals.

    `scores` has `name`, `x` and `series` (a line joins the runs of each) beside the fields of `Estimate`, all rows of
    one score; rows without a value are left out.
    """
    t, first = chart_words(language), scores.iloc[0]
    rows = drawn(scores, ["name", "series", "x", "value", "low", "high", "n"]).sort_values("x", kind="stable")
    is_time = pd.api.types.is_datetime64_any_dtype(rows["x"])
    measure = title_of(t, first["metric"], first["unit"], first["direction"], first["target"])
    across = (
        alt.X(
            "x:T",
            title=t("date of the run (UTC)"),
            axis=alt.Axis(tickCount=5, format="%d %b %H:%M"),
            scale=alt.Scale(type="utc", padding=20),
        )
        if is_time
        else alt.X("x:Q", title=t("training step"), scale=alt.Scale(zero=False, padding=20))
    )
    base = alt.Chart(rows).encode(x=across, tooltip=[alt.Tooltip("name:N", title=t("checkpoint")), *_told(measure)])
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
