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
from leaderboard.data.comparability import may_compare
from leaderboard.flipped import flipped_samples_of
from leaderboard.links import link
from leaderboard.parts import chart, next_command, shown_table
from leaderboard.session import Session, labels, record_of

__all__ = ["page"]

_PAIRED = (
    "Candidate less baseline, paired by sample; the verdict is corrected for all comparisons of a family by Holm's "
    "method."
)
_ALONE = (
    "There is only one run, so there is nothing to compare it with. Evaluate a second checkpoint with the same suites "
    "and limits, then load this page anew:"
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
    if comparison.conditions:
        st.caption(t("What else differs than the checkpoint:"))
        st.text("\n".join(map(session.words.reason, comparison.conditions)))
    frame = pd.DataFrame([asdict(one) | {"wording": worded(one.reason)} for one in comparison.differences])
    frame = frame.assign(reason=session.reasons(frame))
    st.subheader(t("Suites"))
    st.caption(t(_PAIRED))
    _forest(session, frame[frame["level"] == "suite"], "suite")
    st.subheader(t("Tasks"))
    metrics = frame[frame["level"] == "metric"]
    suite = choose_one(st, t("Suite"), list(dict.fromkeys(metrics["suite"])), "suite", shown=session.title)
    _forest(session, metrics[metrics["suite"] == suite], "metric")
    st.subheader(t("Flipped samples"))
    flipped_samples_of(session, comparison.flips, first, second)
    if comparison.costs:
        st.subheader(t("Costs"))
        shown_table(pd.DataFrame([asdict(one) for one in comparison.costs]), key="costs")


def _forest(session: Session, frame: pd.DataFrame, level: str) -> None:
    """A chart for each unit: a difference in joules has no place beside one in shares."""
    t = session.t
    shown = frame.assign(
        label=frame["suite"].map(session.title)
        if level == "suite"
        else [f"{task}: {metric}" for task, metric in zip(frame["task"], frame["metric"], strict=True)],
        verdict=frame["change"],
    )
    columns = [
        "label",
        "first",
        "second",
        "difference",
        "low",
        "high",
        "p_holm",
        "verdict",
        "n",
        "gained",
        "lost",
        "unit",
        "reason",
    ]
    places = st.columns(2)
    for place, (unit, of_unit) in enumerate(shown[shown["difference"].notna()].groupby("unit", sort=False)):
        with places[place % 2]:
            chart(
                session,
                partial(forest, of_unit, session.theme, t.code, unit=str(unit)),
                of_unit[columns],
                key=f"forest {level} {unit}",
            )
    absent = shown[shown["difference"].isna()]
    if len(absent):
        with st.expander(t("Not compared")):
            shown_table(absent[["label", "first", "second", "reason"]])
