"""Differences between two runs, one line each."""

from collections.abc import Collection, Mapping

import altair as alt
import pandas as pd

from harness.charts.axes import LABEL
from harness.charts.theme import PALETTE, Chart, Theme, chart_words, inks
from harness.core.text.display import apart, number
from harness.core.text.translation import Translate

__all__ = ["VERDICTS", "forest"]

VERDICTS: Mapping[str, str] = {
    "better": PALETTE[0],
    "worse": PALETTE[5],
    "changed": PALETTE[1],
    "no difference shown": PALETTE[6],
    "not tested": PALETTE[3],
}
"""What can be said of a difference, with its colour."""

_SHAPES = ("triangle-up", "triangle-down", "diamond", "circle", "cross")


def forest(
    differences: pd.DataFrame,
    theme: Theme = "light",
    language: str = "en",
    *,
    unit: str = "",
    has_title: bool = True,
) -> Chart:
    """Paired differences with their intervals against a line at 0.

    `differences` has label, difference, low, high, and verdict (a key of `VERDICTS`), all of the same unit, which is in
    the reader's language; a row without a difference is left out. No title where many stand under one heading.
    """
    t = chart_words(language)
    rows = differences.dropna(subset=["difference"]).copy()
    rows["label"] = apart([str(label) for label in rows["label"]], LABEL)
    rows["verdict"] = [t(verdict) for verdict in rows["verdict"]]
    rows["shown"] = [
        f"{number(row['difference'])} [{number(row['low'])}, {number(row['high'])}]"
        if pd.notna(row["low"]) and pd.notna(row["high"])
        else number(row["difference"])
        for row in rows.to_dict("records")
    ]
    order = list(dict.fromkeys(rows["label"]))
    colour, shape = _marks(set(differences["verdict"]), t)
    base = alt.Chart(rows).encode(
        y=alt.Y("label:N", sort=order, title=None),
        color=colour,
        tooltip=[
            alt.Tooltip("label:N", title=" "),
            alt.Tooltip("shown:N", title=t("difference")),
            alt.Tooltip("verdict:N", title=t("verdict")),
        ],
    )
    title = t("difference") + (f" ({unit})" if unit else "")
    same = bool((rows[["difference", "low", "high"]].fillna(0) == 0).all(axis=None))
    across = alt.X("difference:Q", title=title, scale=alt.Scale(domain=[-1, 1]) if same else alt.Undefined)
    zero = alt.Chart(pd.DataFrame({"difference": [0.0]}))
    layers = (
        zero.mark_rule(strokeDash=[4, 3], color=inks(theme).faint).encode(x=across),
        base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", title=title), x2="high:Q"),
        base.mark_point(filled=True, size=90, opacity=1).encode(x=across, shape=shape),
    )
    drawn = alt.layer(*layers).properties(height=28 * max(len(order), 1))
    return drawn.properties(title=t("Paired differences with 95 % intervals")) if has_title else drawn


def _marks(verdicts: Collection[str], t: Translate) -> tuple[alt.Color, alt.Shape]:
    """Colour and shape of the verdicts that are there, under one legend."""
    known = [
        (t(verdict), *marks)
        for verdict, *marks in zip(VERDICTS, VERDICTS.values(), _SHAPES, strict=True)
        if verdict in verdicts
    ]
    domain, colours, shapes = ([one[place] for one in known] for place in range(3))
    legend = alt.Legend(columns=3)
    return (
        alt.Color("verdict:N", title=None, legend=legend, scale=alt.Scale(domain=domain, range=colours)),
        alt.Shape("verdict:N", title=None, legend=legend, scale=alt.Scale(domain=domain, range=shapes)),
    )
