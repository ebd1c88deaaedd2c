"""One checkpoint's lineage, over the steps of its training or over time."""

import shlex
from functools import partial

import pandas as pd
import streamlit as st

from harness.charts import history as drawn_history
from leaderboard.chosen import ChosenRun, chosen_run
from leaderboard.data.history import by_step, history_of
from leaderboard.parts import chart, next_command, shown_table
from leaderboard.session import Session

__all__ = ["page"]

_OVER_TIME = (
    "{n} runs of this lineage, oldest first. A regression is a run that is worse than the one before beyond doubt: "
    "paired by sample, corrected by Holm."
)
_OVER_STEPS = (
    "{n} runs of this lineage, by the step of the training. A regression is a run that is worse than the one before "
    "beyond doubt: paired by sample, corrected by Holm."
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
    shown = rows[rows["step"].notna()] if over_steps else rows.drop(columns="step")
    count = shown["run_id"].nunique()
    if count < 2:
        _say_next(session, chosen)
    else:
        st.caption(t(_OVER_STEPS if over_steps else _OVER_TIME, n=count))
    if len(loose):
        st.caption(t("{n} runs say no step, so they are not drawn: {ids}", n=len(loose), ids=", ".join(loose)))
    columns = ["step", "started_at", "run_id"] if over_steps else ["started_at", "run_id"]
    worse = shown[shown["regressed"].astype(bool)]
    if len(worse):
        st.error(t("{n} regressions", n=len(worse)))
        told = worse.assign(suite=worse["suite"].map(session.title))
        first = ["step", "suite"] if over_steps else ["started_at", "suite"]
        others = [one for one in columns if one not in first]
        shown_table(told[[*first, "value", "low", "high", *others]], key="worse")
    places = st.columns(2)
    for place, (suite, of_suite) in enumerate(shown.groupby("suite", sort=False)):
        named = of_suite.assign(
            name=[chosen.names.get(one, one) for one in of_suite["run_id"]], suite=session.title(str(suite))
        )
        behind = named[["name", *columns, "value", "low", "high", "n", "regressed"]]
        with places[place % 2]:
            picture = partial(drawn_history, pd.DataFrame(named), session.theme, t.code)
            chart(session, picture, behind, key=f"history {suite}")


def _say_next(session: Session, chosen: ChosenRun) -> None:
    """What gives a lineage its second run."""
    lineage, step = chosen.row["lineage"], chosen.row["step"]
    named = lineage if isinstance(lineage, str) else "NAME"
    later = "STEP" if pd.isna(step) else f"{2 * int(step) or 1000}"
    next_command(session, _ALONE, f"--lineage {shlex.quote(named)} --step {later}")
