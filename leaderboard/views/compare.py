"""Two runs held against each other."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial

import pandas as pd
import streamlit as st

from harness.charts import forest
from harness.core.errors import RecordError
from harness.core.text.reasons import worded
from harness.decision.comparison import Comparison, compare
from harness.record import RunRecord
from leaderboard.address import choose_one, put
from leaderboard.chosen import verified_runs
from leaderboard.data import queries
from leaderboard.data.changes import change_lines, cost_rows
from leaderboard.data.comparability import may_compare
from leaderboard.data.names import labels
from leaderboard.flipped import flipped_samples_of
from leaderboard.links import link
from leaderboard.parts import drawing, next_command, titled_table
from leaderboard.session import Session, record_of
from leaderboard.words import escaped

__all__ = ["page"]

_PAIRED = (
    "Candidate less baseline with 95 % intervals, paired by sample; the verdict is corrected for all comparisons of a "
    "family by Holm's method."
)
_ALONE = (
    "There is only one run, so there is nothing to compare it with. Evaluate a second checkpoint with the same suites "
    "and limits, then load this page anew:"
)
_SIGNS = {"worse": "▼", "better": "▲", "changed": "◆", "no difference shown": "●", "not tested": "✚"}
"""The shapes that the charts draw these by."""
_MOST = 1_000
_COLUMNS = (
    *("label", "first", "second", "difference", "low", "high", "p_holm", "verdict", "n", "gained", "lost"),
    *("unit", "reason"),
)


def page(session: Session) -> None:
    """Show it."""
    t = session.t
    st.title(t("Compare"))
    known = verified_runs(session, every_run=True)
    if known is None:
        return
    ids = list(known["run_id"])
    columns = st.columns(2)
    shown = partial(_label, labels(known))
    apart = queries.comparability(session.store, ids)
    usual = next(iter(apart.loc[apart["apart"].isna(), "run_id"]), ids[0])
    second = choose_one(columns[1], t("Candidate"), ids, "second", default=usual, always=True, shown=shown)
    alike = _alike(session, ids, second)
    others = [*alike, *(one for one in ids if one not in alike and one != second)]
    if not others:
        next_command(session, _ALONE)
        return
    if st.query_params.get("first") == second:
        st.warning(t("A run is not compared with itself: this baseline is another."))
        put("first", None)
    first = choose_one(columns[0], t("Baseline"), others, "first", always=True, shown=shown)
    records = [record_of(session, one) for one in (first, second)]
    if records[0] is None or records[1] is None:
        return
    try:
        with st.spinner(t("Comparing sample by sample …")):
            comparison = _compare(records[0], records[1], first, second)
    except RecordError as error:
        st.warning(t("These two don't compare."))
        st.code(str(error), language=None, wrap_lines=True)
        return
    _show(session, comparison, first, second)
    with st.container(horizontal=True):
        link("run", t("Open the baseline"), icon=":material/description:", run=first)
        link("run", t("Open the candidate"), icon=":material/description:", run=second)


def _alike(session: Session, ids: Sequence[str], reference: str) -> list[str]:
    """The other runs that may be compared with the reference."""
    asked = queries.asked(session.store, ids)
    return [one for one in ids if one != reference and may_compare(asked[reference], asked[one])]


def _label(names: Mapping[str, str], run_id: str) -> str:
    return f"{names[run_id]} ({run_id})"


@st.cache_resource(show_spinner=False, max_entries=32)
def _compare(_first: RunRecord, _second: RunRecord, first_id: str, second_id: str) -> Comparison:  # noqa: ARG001
    return compare(_first, _second, groups=False)


def _show(session: Session, comparison: Comparison, first: str, second: str) -> None:
    t = session.t
    for change, names in change_lines(comparison, session.words):
        st.markdown(f"{_SIGNS[change]} **{escaped(t(change))}**: {escaped(names, _MOST)}")
    if comparison.conditions:
        st.caption(t("What else differs than the checkpoint:"))
        st.text("\n".join(map(session.words.reason, comparison.conditions)))
    frame = pd.DataFrame([asdict(one) | {"wording": worded(one.reason)} for one in comparison.differences])
    frame = frame.assign(reason=session.reasons(frame))
    st.subheader(t("Suites"))
    st.caption(t(_PAIRED))
    of_suites = frame[frame["level"] == "suite"]
    _forest(session, of_suites.assign(label=of_suites["suite"].map(session.title)), "suite")
    st.subheader(t("Tasks"))
    metrics = frame[frame["level"] == "metric"]
    suite = choose_one(st, t("Suite"), list(dict.fromkeys(metrics["suite"])), "suite", shown=session.title)
    mine = metrics[metrics["suite"] == suite]
    _forest(
        session,
        mine.assign(label=[_named(session, *row) for row in mine[["suite", "task", "metric"]].to_numpy()]),
        suite,
    )
    st.subheader(t("Flipped samples"))
    flipped_samples_of(session, comparison.flips, first, second)
    if comparison.costs:
        st.subheader(t("Costs"))
        costs = pd.DataFrame([asdict(one) for one in cost_rows(comparison.costs)])
        titled_table(session, costs.assign(name=costs["name"].map(t)).rename(columns={"name": t("cost")}), key="costs")


def _named(session: Session, suite: str, task: str, metric: str) -> str:
    return f"{session.words.task(suite, task)}: {session.words.of(suite).metric(metric)}"


def _forest(session: Session, shown: pd.DataFrame, of: str) -> None:
    """A chart for each unit: a difference in joules has no place beside one in shares. One table holds them all."""
    t, shown = session.t, shown.assign(verdict=shown["change"])
    known, places = shown[shown["difference"].notna()], st.columns(2)
    for place, (unit, of_unit) in enumerate(known.groupby("unit", sort=False)):
        with places[place % 2]:
            picture = partial(forest, of_unit, session.theme, t.code, unit=t(str(unit)), has_title=False)
            drawing(session, picture, key=f"forest {of} {unit}")
    if len(known):
        with st.expander(t("Table")):
            table = known[list(_COLUMNS)].dropna(axis="columns", how="all")
            titled_table(session, table, key=f"differences {of}")
    absent = shown[shown["difference"].isna()]
    if len(absent):
        with st.expander(t("Not compared")):
            titled_table(session, absent[["label", "first", "second", "reason"]])
