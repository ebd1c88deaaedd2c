"""Pieces that several pages show: charts with their table, tables, texts, downloads, links."""

import shlex
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal

import altair as alt
import pandas as pd
import streamlit as st
from altair.utils.schemapi import debug_mode

from harness.charts import Chart, Theme, themed
from harness.core.scores import Estimate
from harness.core.text.display import aim, elided, number, visible
from harness.core.text.reasons import worded
from harness.decision.context import ScoreContext
from harness.decision.keys import Key
from harness.report.figures import frame_of
from leaderboard.downloads import to_csv, to_json
from leaderboard.session import Session
from leaderboard.titles import titled

__all__ = [
    "arrow",
    "chart",
    "downloads",
    "drawing",
    "estimate_table",
    "next_command",
    "not_here",
    "shown_estimates",
    "shown_interval",
    "shown_table",
    "text",
    "titled_table",
]

_REMEMBERED = 512
"""Charts that are kept drawn, for all readers together."""
_WHOLE = 4_000
_CELL = 300
_UNROLLED = 24
"""Rows up to which a table is shown whole, without a scroll bar of its own."""


def chart(session: Session, draw: partial[Chart], behind: pd.DataFrame, *, key: str) -> None:
    """A chart, and the table behind it a click away. `draw` holds what it shows, and is remembered by that."""
    drawing(session, draw, key=key)
    with st.expander(session.t("Table")):
        titled_table(session, behind)


def drawing(session: Session, draw: partial[Chart], *, key: str) -> None:
    """A chart whose table is elsewhere on the page."""
    spec, fixed = _specification(draw, session.theme)
    width: Literal["content", "stretch"] = "content" if fixed else "stretch"
    st.vega_lite_chart(spec=spec, theme=None, width=width, key=key)


@st.cache_data(
    show_spinner=False,
    max_entries=_REMEMBERED,
    hash_funcs={partial: lambda draw: (draw.func.__qualname__, draw.args, draw.keywords)},
)
def _specification(draw: partial[Chart], theme: Theme) -> tuple[dict[str, Any], bool]:
    """The chart in Vega-Lite, and whether its width is its own."""
    # Altair holds each part against the whole schema, several times over; tests of the charts do that for all readers.
    with debug_mode(False):
        drawn = draw()
        fixed = isinstance(drawn.width, int)
        look = themed(drawn, theme)
        # Streamlit's own fitting would squeeze the drawing by the height of title, axes and legend.
        look.autosize = alt.AutoSizeParams(type="pad" if fixed else "fit-x", contains="padding")
        return look.to_dict(validate=False), fixed


def shown_table(frame: pd.DataFrame, **options: Any) -> Any:
    """A table whose texts are shown as they are, an address as well; long ones are cut short."""
    texts = frame.select_dtypes(include=["object", "string"]).columns
    shown = frame.assign(**{name: [_cell(value) for value in frame[name]] for name in texts})
    if len(shown) <= _UNROLLED:
        options.setdefault("height", "content")
    # Said for each, so that nothing that is read as an address becomes a link.
    options.setdefault("column_config", {str(name): st.column_config.TextColumn() for name in texts})
    # They stay numbers, which a click on a header sorts, and are read with as many digits as everywhere.
    floats: list[Any] = list(shown.select_dtypes(include="float").columns) if len(shown) <= _UNROLLED else []
    written = shown.style.format(_number, subset=floats) if floats else shown
    return st.dataframe(written, hide_index=True, placeholder="", **options)


def titled_table(session: Session, frame: pd.DataFrame, **options: Any) -> Any:
    """As `shown_table`, with columns and our own words in the reader's language."""
    return shown_table(titled(frame, session.t), **options)


def text(session: Session, content: str | None, *, key: str) -> None:
    """A text of unknown origin, as it is; what is very long is a click away."""
    if not content:
        st.text(session.t("(empty)"))
        return
    if len(content) <= _WHOLE:
        st.code(visible(content), language=None, wrap_lines=True)
        return
    st.code(visible(content[:_WHOLE]) + " …", language=None, wrap_lines=True, height=300)
    if st.toggle(session.t("Show all {n} characters", n=f"{len(content):,}"), key=key):
        st.code(visible(content), language=None, wrap_lines=True, height=500)


def downloads(session: Session, frame: pd.DataFrame, name: str) -> None:
    """The frame as CSV and as JSON."""
    with st.container(horizontal=True):
        st.download_button(
            "CSV", to_csv(frame), f"{name}.csv", "text/csv", key=f"{name}.csv", icon=":material/download:"
        )
        st.download_button(
            "JSON", to_json(frame), f"{name}.json", "application/json", key=f"{name}.json", icon=":material/download:"
        )
    st.caption(session.t("Numbers are numbers in both; a text that a spreadsheet would compute gets an apostrophe."))


def shown_estimates(session: Session, estimates: Sequence[Estimate]) -> pd.DataFrame:
    """As `estimate_table`, of estimates that are no rows of the store."""
    made = pd.Series([worded(one.reason) for one in estimates], dtype=object)
    headlines = [one.is_headline for one in estimates]
    return estimate_table(session, frame_of(estimates).assign(is_headline=headlines, wording=made))


def estimate_table(
    session: Session, estimates: pd.DataFrame, contexts: Mapping[Key, ScoreContext] | None = None
) -> pd.DataFrame:
    """Rows of the store's estimates as people read them: with interval, n, unit, what is best, basis and reason.

    With `contexts` also what guessing would score, and whether the score is better: see `harness.decision.context`.
    """
    t = session.t
    found = [_context(row, contexts or {}) for row in estimates.to_dict("records")]
    known = any(one.chance is not None for one in found)
    rows = [
        {
            t("task"): session.words.task(row["suite"], row["task"]),
            t("metric"): session.words.of(row["suite"]).metric(row["metric"]),
            **({t("group"): row["group"]} if estimates["group"].notna().any() else {}),
            t("score"): row["value"],
            t("± stderr"): None if row["stderr"] == 0 and shown_interval(row) else row["stderr"],
            t("95 % interval"): shown_interval(row),
            "n": row["n"],
            t("invalid"): row["invalid_count"],
            **({t("chance"): one.chance, t("than chance"): t(one.than_chance or "")} if known else {}),
            t("unit"): t(row["unit"]),
            t("best"): aim(row["direction"], row["target"], one.optimum),
            t("basis"): t(row["basis"]),
            t("why absent"): reason,
        }
        for row, one, reason in zip(estimates.to_dict("records"), found, session.reasons(estimates), strict=True)
    ]
    frame = pd.DataFrame(rows)
    return frame.drop(columns=[t("why absent")]) if len(frame) and frame[t("why absent")].isna().all() else frame


def _context(row: Mapping[Any, Any], contexts: Mapping[Key, ScoreContext]) -> ScoreContext:
    """Where a row of the store stands; nowhere, if that is not known, or it is of a single group."""
    key = Key(row["suite"], row["task"], row["metric"])
    return contexts.get(key, ScoreContext()) if row["group"] is None or pd.isna(row["group"]) else ScoreContext()


def shown_interval(row: Mapping[Any, Any]) -> str:
    """The interval of an estimate in words; empty where there is none."""
    if pd.isna(row["low"]) or pd.isna(row["high"]):
        return ""
    return f"{number(row['low'])} … {number(row['high'])}"


def arrow(row: Mapping[Any, Any]) -> str:
    """Which way is better, or which value is best."""
    return aim(row["direction"], row["target"])


def not_here(session: Session, runs: Sequence[str]) -> bool:
    """Whether there is no run to show; the page then says so."""
    if not runs:
        st.info(session.t("No verified run is in the store."))
    return not runs


def next_command(session: Session, said: str, more: str = "") -> None:
    """What to run so that a page that needs several runs has them; `said` explains it, in English.

    The suites stand for those of the run that is here: no record says which preset chose them.
    """
    st.info(session.t(said))
    options = " ".join(filter(None, (f"--out {shlex.quote(str(session.records))}", more)))
    st.code(f"harness eval --model NEXT_CHECKPOINT --suite SAME_SUITES {options}", language="bash", wrap_lines=True)


def _number(value: Any) -> str:
    return "" if pd.isna(value) else number(float(value))


def _cell(value: Any) -> Any:
    if isinstance(value, list | tuple):
        value = ", ".join(map(str, value))
    return elided(value, _CELL) if isinstance(value, str) else value
