"""A run at a glance: a line a dimension, from the worst to the best that its score can be."""

import altair as alt
import pandas as pd

from harness.charts.axes import interval_words, title_of
from harness.charts.theme import PALETTE, Chart, Theme, chart_words, inks
from harness.core.text.display import aim, elided, number
from harness.core.text.translation import Translate

__all__ = ["scorecard", "than_chance_words"]

_ROW = 27
"""Pixels a dimension."""
_LEFT, _RIGHT = -0.3, 1.16
"""Where the drawing begins and ends: the score stands left of the line, the best that it can be right of it."""

_WORDS = {
    "better": ("better than chance", PALETTE[0], "circle"),
    "can't tell": ("can't be told from chance", PALETTE[1], "diamond"),
    "worse": ("worse than chance", PALETTE[5], "triangle-down"),
    "": ("no chance level is known", PALETTE[6], "square"),
}
"""What can be said of a score beside guessing, with colour and shape."""


def scorecard(rows: pd.DataFrame, theme: Theme = "light", language: str = "en") -> Chart:
    """One score a dimension with its interval, what guessing would give, and the best there can be.

    `rows` has title, metric, unit, direction, target, value, low, high, n, chance, optimum, and word (a key of what can
    be said: better, worse, can't tell; None); place, place_low, place_high and place_chance are where they are between
    the worst (0) and the best (1) that the score can be, None where that is open. The first row is on top.
    """
    t, ink = chart_words(language), inks(theme)
    shown = _shown(rows, t)
    height = _ROW * max(len(shown), 1)
    up = alt.Y(
        "title:N", sort=list(shown["title"]), title=None, axis=alt.Axis(labelLimit=130, domain=False, ticks=False)
    )
    ends = f"datum.value == 0 ? '{t('worst')}' : '{t('best')}'"
    across = alt.X(
        "place:Q",
        title=None,
        scale=alt.Scale(domain=[_LEFT, _RIGHT], nice=False),
        axis=alt.Axis(orient="top", values=[0, 1], labelExpr=ends, domain=False, tickSize=0),
    )
    tooltip = [
        alt.Tooltip("title:N", title=t("dimension")),
        *(alt.Tooltip(f"{name}:N", title=t(said)) for name, said in _TOLD.items()),
        alt.Tooltip("n:Q", title="n", format=","),
    ]
    base = alt.Chart(shown).encode(y=up, tooltip=tooltip)
    known = alt.Chart(shown[shown["place"].notna()]).encode(y=up, tooltip=tooltip)
    beside = {"fontSize": 12, "baseline": "middle"}
    layers = (
        known.mark_rule(color=ink.grid, strokeWidth=6, strokeCap="round").encode(x=alt.X("from:Q"), x2="to:Q"),
        known.mark_rule(strokeWidth=3).encode(x=alt.X("place_low:Q"), x2="place_high:Q", color=_colour(shown, t)),
        known.mark_tick(thickness=2.5, size=19, color=ink.text).encode(x=alt.X("place_chance:Q")),
        known.mark_point(filled=True, size=85, opacity=1).encode(
            x=across, color=_colour(shown, t), shape=_shape(shown, t)
        ),
        base.mark_text(align="right", fontWeight=600, color=ink.text, **beside).encode(
            x=alt.X("score_at:Q"), text="score:N"
        ),
        base.mark_text(align="left", color=ink.faint, **beside).encode(x=alt.X("best_at:Q"), text="best:N"),
    )
    return alt.layer(*layers).properties(title=t("One score a dimension; the upright stroke is chance"), height=height)


_LEGEND = alt.Legend(columns=1)
"""Two beside each other would be cut on a phone."""

_TOLD = {
    "measure": "metric",
    "with_interval": "score",
    "guessed": "chance",
    "best": "best",
    "said": "beside chance",
}
"""What is told of a row when it is pointed at."""


def _shown(rows: pd.DataFrame, t: Translate) -> pd.DataFrame:
    """What is drawn, texts made visible and short."""
    records = rows.to_dict("records")
    columns = ["place", "place_low", "place_high", "place_chance", "n"]
    shown = rows[columns].astype(float).reset_index(drop=True)
    return shown.assign(
        title=[elided(str(row["title"]), 24) for row in records],
        score=[f"{_short(row['value'])} {aim(row['direction'], row['target'])}".strip() for row in records],
        best=[
            (number(row["optimum"]) if pd.notna(row["optimum"]) else "")
            if pd.notna(row["place"])
            else t("no fixed ends")
            for row in records
        ],
        measure=[title_of(t, row["metric"], row["unit"]) for row in records],
        with_interval=[interval_words(row) for row in records],
        guessed=[number(row["chance"]) if pd.notna(row["chance"]) else "" for row in records],
        said=[t(than_chance_words(row["word"])) for row in records],
        score_at=-0.03,
        best_at=[1.03 if pd.notna(row["place"]) else 0.0 for row in records],
        **{"from": 0.0, "to": 1.0},
    )


def than_chance_words(word: object) -> str:
    """What a word of a score (better, worse, can't tell) says of it beside guessing; any other, that nobody knows."""
    return _WORDS[word if isinstance(word, str) else ""][0]


def _short(value: float) -> str:
    """Three digits: beside a name there is room for no more."""
    return f"{value:.3g}" if abs(value) < 1000 else number(value)


def _marks(shown: pd.DataFrame, t: Translate) -> list[tuple[str, str, str]]:
    """Words that are said of some row, with colour and shape."""
    said = [(t(word), colour, shape) for word, colour, shape in _WORDS.values()]
    there = set(shown["said"])
    return [one for one in said if one[0] in there]


def _colour(shown: pd.DataFrame, t: Translate) -> alt.Color:
    words, colours, _ = zip(*_marks(shown, t), strict=True)
    return alt.Color("said:N", title=None, legend=_LEGEND, scale=alt.Scale(domain=list(words), range=list(colours)))


def _shape(shown: pd.DataFrame, t: Translate) -> alt.Shape:
    words, _, shapes = zip(*_marks(shown, t), strict=True)
    return alt.Shape("said:N", title=None, legend=_LEGEND, scale=alt.Scale(domain=list(words), range=list(shapes)))
