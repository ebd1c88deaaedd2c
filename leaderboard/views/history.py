"""One checkpoint's lineage, over the steps of its training or over time."""

import shlex
from functools import partial

import pandas as pd
import streamlit as st

from harness.charts import history as drawn_history
from leaderboard.chosen import ChosenRun, chosen_run
from leaderboard.data.history import by_step, drawn_rows, history_of
from leaderboard.parts import chart, next_command, titled_table
from leaderboard.session import Session

__all__ = ["page"]

_OVER_TIME = (
    "{n} runs of this lineage, oldest first. A line joins runs that were asked the same. A regression is a run that is "
    "worse than the one before beyond doubt: paired by sample, corrected by Holm."
)
_OVER_STEPS = (
    "{n} runs of this lineage, by the step of the training. A line joins runs that were asked the same. A regression "
    "is a run that is worse than the one before beyond doubt: paired by sample, corrected by Holm."
)
_ALONE = (
    "This is the only run of its lineage, so nothing can have got better or worse yet. Evaluate another checkpoint of "
    "the same training with the same suites and limits, and say where it stands (a folder with trainer_state.json says "
    "that by itself). Then load this page anew:"
)


def page(session: Session) -> None:
    """Show it."""
    t = session.t
    st.title(t("History"))
    chosen = chosen_run(session)
    if chosen is None:
        return
    rows = history_of(session.store, chosen.run_id)
    over_steps = by_step(rows)
    loose = list(rows.loc[rows["step"].isna(), "run_id"].unique()) if over_steps else []
    shown = drawn_rows(rows)
    count = shown["run_id"].nunique()
    if count < 2:
        _say_next(session, chosen)
    else:
        st.caption(t(_OVER_STEPS if over_steps else _OVER_TIME, n=count))
    if len(loose):
        st.caption(t("{n} runs say no step, so they are not drawn: {ids}", n=len(loose), ids=", ".join(loose)))
    _regressions(session, shown[shown["regressed"].astype(bool)], over_steps)
    _charts(session, chosen, shown, over_steps)


def _regressions(session: Session, worse: pd.DataFrame, over_steps: bool) -> None:
    """Where it got worse, first of all."""
    if worse.empty:
        return
    t = session.t
    st.error(t("1 regression") if len(worse) == 1 else t("{n} regressions", n=len(worse)))
    told = worse.assign(suite=worse["suite"].map(session.title))
    first = ["suite", "step", "started_at"] if over_steps else ["suite", "started_at"]
    titled_table(session, told[[*first, "value", "low", "high", "run_id"]], key="worse")


def _charts(session: Session, chosen: ChosenRun, shown: pd.DataFrame, over_steps: bool) -> None:
    """A chart for each headline that several runs have; for what one alone has a line of a table does.

    Versions of a suite may have different headlines, which don't share an axis.
    """
    t, columns = session.t, ["step", "started_at", "run_id"] if over_steps else ["started_at", "run_id"]
    named = shown.assign(
        name=[chosen.names.get(one, one) for one in shown["run_id"]], title=shown["suite"].map(session.title)
    )
    counts = named.groupby(["suite", "metric"])["run_id"].transform("nunique")
    places = st.columns(2)
    for place, ((suite, metric), rows) in enumerate(named[counts > 1].groupby(["suite", "metric"], sort=False)):
        behind = rows[["name", *columns, "value", "low", "high", "n", "regressed"]]
        with places[place % 2]:
            picture = partial(drawn_history, rows.assign(suite=rows["title"]), session.theme, t.code)
            chart(session, picture, behind, key=f"history {suite} {metric}")
    alone = named[counts == 1]
    if len(alone):
        with st.expander(t("Suites that only one run has ({n})", n=len(alone))):
            table = alone.assign(suite=alone["title"])
            titled_table(session, table[["suite", "metric", "value", "low", "high", "n", "unit", "name", *columns]])


def _say_next(session: Session, chosen: ChosenRun) -> None:
    """What gives a lineage its second run."""
    lineage, step = chosen.row["lineage"], chosen.row["step"]
    named = lineage if isinstance(lineage, str) else "NAME"
    later = "STEP" if pd.isna(step) else f"{2 * int(step) or 1000}"
    next_command(session, _ALONE, f"--lineage {shlex.quote(named)} --step {later}")
