"""One checkpoint's lineage over time."""

from functools import partial

import pandas as pd
import streamlit as st

from harness.charts import history as drawn_history
from leaderboard.chosen import chosen_run
from leaderboard.data.history import history_of
from leaderboard.parts import chart, shown_table
from leaderboard.session import Session

__all__ = ["page"]

_LINEAGE = (
    "{n} runs of this lineage, oldest first. A regression is a run that is worse than the one before beyond doubt: "
    "paired by sample, corrected by Holm."
)


def page(session: Session) -> None:
    """Show it."""
    t = session.t
    st.title(t("History"))
    chosen = chosen_run(session)
    if chosen is None:
        return
    run_id = chosen.run_id
    rows = history_of(session.store, run_id)
    rows = rows[rows["value"].notna()]
    count = rows["run_id"].nunique()
    st.caption(
        t(
            _LINEAGE,
            n=count,
        )
    )
    worse = rows[rows["regressed"].astype(bool)]
    if len(worse):
        st.error(t("{n} regressions", n=len(worse)))
        shown_table(worse[["started_at", "run_id", "suite", "value", "low", "high"]], key="worse")
    columns = st.columns(2)
    for place, (suite, of_suite) in enumerate(rows.groupby("suite", sort=False)):
        named = of_suite.assign(
            name=[chosen.names.get(one, one) for one in of_suite["run_id"]], suite=session.title(str(suite))
        )
        behind = named[["started_at", "name", "run_id", "value", "low", "high", "n", "regressed"]]
        with columns[place % 2]:
            picture = partial(drawn_history, pd.DataFrame(named), session.theme, t.code)
            chart(session, picture, behind, key=f"history {suite}")
