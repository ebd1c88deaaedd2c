"""What one good thing costs of another."""

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from harness.charts import MOST, SCALE, Axis, radar, tradeoff
from leaderboard.address import choose_many, choose_one
from leaderboard.chosen import verified_runs
from leaderboard.data import queries
from leaderboard.data.names import labels
from leaderboard.data.points import AXES, WHOLE_RUN, axis_of, known_costs, performance_first, points, scaled_axis
from leaderboard.parts import chart
from leaderboard.session import Session

__all__ = ["page"]

_PARETO = (
    "A checkpoint is on the Pareto front if no other is better on one side and no worse on the other. Values decide, "
    "not their intervals: look at those before you call one beaten."
)


def page(session: Session) -> None:
    """Show it."""
    t = session.t
    st.title(t("Trade-offs"))
    known = verified_runs(session, every_run=False)
    if known is None:
        return
    names = labels(known)
    apart = queries.comparability(session.store, list(known["run_id"]))
    together = list(apart.loc[apart["apart"].isna(), "run_id"])
    usual = together[:12]
    chosen = choose_many(
        st, t("Checkpoints"), list(known["run_id"]), "runs", default=usual, shown=lambda run_id: names[run_id]
    )
    if not chosen:
        st.info(t("Choose checkpoints."))
        return
    if left := set(chosen) - set(together):
        st.warning(t("{n} of these asked something else than the others, so they don't compare.", n=len(left)))
    rows = known[known["run_id"].isin(chosen)]
    scores = queries.scores(session.store, chosen)
    energy = queries.estimates(session.store, chosen, task=WHOLE_RUN)
    suites = performance_first(scores)
    if not suites:
        st.info(t("None of these runs has a score for a dimension."))
        return
    columns = st.columns(2)
    up = choose_one(columns[0], t("Upward"), suites, "y", shown=session.title)
    costs = known_costs(up, rows, scores, energy, names)
    across = choose_one(
        columns[1],
        t("Across"),
        [*costs, *[one for one in suites if one != up], up],
        "x",
        shown=lambda one: t(AXES[one][0]) if one in AXES else session.title(one),
    )
    x, y = (axis_of(one, scores, t, session.title) for one in (across, up))
    frame = points(across, up, rows, scores, energy, names)
    if frame[["x", "y"]].dropna().empty:
        st.info(t("No run has both."))
    else:
        behind = frame.rename(columns=_sides(session, x, y)).drop(columns="run_id").dropna(axis="columns", how="all")
        chart(session, partial(tradeoff, frame, x, y, session.theme, t.code), behind, key="tradeoff")
        st.caption(t(_PARETO))
    titled = scores.assign(suite=scores["suite"].map(session.title))
    _dimensions(session, scaled_axis(titled, names), list(map(session.title, suites)), together=len(chosen) <= MOST)


def _sides(session: Session, x: Axis, y: Axis) -> dict[str, str]:
    """What the columns of the points are called."""
    t, ends = session.t, {"": "", "_low": "low", "_high": "high"}
    return {
        f"{side}{end}": f"{axis.metric} ({t(axis.unit)})" if not said else f"{axis.metric}: {t(said)}"
        for side, axis in (("y", y), ("x", x))
        for end, said in ends.items()
    }


def _dimensions(session: Session, all_scaled: pd.DataFrame, suites: Sequence[str], *, together: bool) -> None:
    """One radar of all checkpoints, or one of each."""
    t = session.t
    st.subheader(t("All dimensions"))
    if together:
        chart(session, partial(radar, all_scaled, suites, session.theme, t.code), all_scaled, key="radar")
        return
    st.caption(t(SCALE))
    places = st.columns(3)
    for index, name in enumerate(dict.fromkeys(all_scaled["name"])):
        one = all_scaled[all_scaled["name"] == name]
        with places[index % 3]:
            picture = partial(radar, one, suites, session.theme, t.code, size=220)
            chart(session, picture, one, key=f"radar {index}")
