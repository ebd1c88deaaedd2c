"""The leaderboard: which checkpoint is best, by weights, as far as the data can say."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from harness.charts import dimension_bars
from harness.core.text.display import aim, apart, elided, number
from leaderboard.address import choose_many, choose_one
from leaderboard.controls import filters_of, reference_of, weights_of
from leaderboard.data import queries
from leaderboard.data.board import board, filtered, intervals
from leaderboard.data.names import labels
from leaderboard.data.points import WHOLE_RUN
from leaderboard.data.ranking import FEWEST
from leaderboard.links import link
from leaderboard.parts import chart, downloads, shown_table
from leaderboard.session import Session
from leaderboard.words import escaped

__all__ = ["page"]

_NAME = 190
"""Pixels: what is pinned has to leave room for a score beside it on a phone."""
_LETTERS = 24
"""So many have room there."""
_TICK = "Tick one row to open its run, two to compare them, more for their trade-offs. A click on a header sorts."

_NAMED = 5
"""Runs that are named where those that don't rank are counted."""
_REASON = 400
"""Characters of a reason that are read at once."""

_HAS_COME = "has come to the leaderboard"
_SOON_S = 1.0

_ABOUT = ("parameters_millions", "date", "kind", "dtype")
_RANKS = (
    "Neighbours that the data can't tell apart share a rank: their difference, paired by sample where both had the "
    "same samples, has a p value above 0.05 after Holm's correction for all neighbours. A missing dimension is blank; "
    "it never counts as 0, and the other dimensions then share its weight. Each dimension counts from 0 (guessing, or "
    "the worst there can be) to 1 (the best there can be), whatever other runs have. What a model that knows nothing "
    "fulfils best, such as not to be toxic, counts as far as the others are fulfilled."
)
_TOO_FEW = (
    "A score of several dimensions, and ranks by it, need {n} runs that compare. Until then look at the dimensions."
)
_MARKS = {"PASS": "✓ PASS", "FAIL": "✗ FAIL", "INCONCLUSIVE": "? INCONCLUSIVE", "ERROR": "! ERROR"}


def page(session: Session) -> None:
    """Show it."""
    t = session.t
    st.title(t("Leaderboard"))
    known = queries.checkpoints(session.store)
    if known.empty:
        st.info(t("The store is empty. Fill it from a folder of runs:"))
        st.code("harness index runs", language="bash")
        return
    names = labels(known)
    bar = st.container(horizontal=True)
    chosen = filtered(known, filters_of(bar, session, known))
    sound = chosen[chosen["status"] == "verified"]
    comparable = queries.comparability(
        session.store, list(sound["run_id"]), reference=reference_of(bar, session, list(sound["run_id"]), names)
    )
    together = list(comparable.loc[comparable["apart"].isna(), "run_id"])
    _say_apart(session, chosen, comparable, names)
    scores = queries.scores(session.store, together)
    if together:
        _ranks(bar, session, known, scores, names)
    else:
        st.info(t("No checkpoint passes the filters."))
    _set_apart(session, chosen, comparable, names)


def _ranks(bar: Any, session: Session, known: pd.DataFrame, scores: pd.DataFrame, names: Mapping[str, str]) -> None:
    t = session.t
    together = list(dict.fromkeys(scores["run_id"]))
    suites = list(dict.fromkeys(scores.loc[scores["value"].notna(), "suite"]))
    weights = weights_of(bar, session, suites, {suite for listed in known["suites"] for suite in listed})
    ranking = queries.ranking(session.store, together, scores, weights)
    energy = queries.estimates(session.store, together, task=WHOLE_RUN, metric="energy_joules")
    frame = board(known, ranking, scores[scores["suite"].isin(suites)], energy, names)
    if len(together) < FEWEST and frame["score"].isna().all():
        st.caption(t(_TOO_FEW, n=FEWEST))
    _table(bar, session, frame, scores, suites)
    with st.expander(t("How the ranks are made"), icon=":material/function:"):
        st.text(ranking.formula)
        st.markdown(t(_RANKS))
        for note in ranking.notes:
            st.text(note)
    downloads(session, frame, "leaderboard")
    st.subheader(t("Dimensions"))
    _dimensions(session, scores, list(frame["run_id"]), names)


def _dimensions(session: Session, scores: pd.DataFrame, ordered: Sequence[str], names: Mapping[str, str]) -> None:
    """A chart a suite, best first; a reader who has just come gets them once the table is on the screen.

    To draw them takes the browser as long as all before it.
    """
    if _HAS_COME not in st.session_state:
        _draw_soon()
        return
    columns = st.columns(2)
    for place, (suite, of_suite) in enumerate(scores[scores["value"].notna()].groupby("suite", sort=False)):
        rows = of_suite.set_index("run_id").reindex([one for one in ordered if one in set(of_suite["run_id"])])
        rows = rows.reset_index().assign(name=[names[run_id] for run_id in rows.index], suite=session.title(str(suite)))
        behind = rows[["name", "value", "low", "high", "n", "unit", "basis"]]
        with columns[place % 2]:
            chart(session, partial(dimension_bars, rows, session.theme, session.t.code), behind, key=f"bars {suite}")


@st.fragment(run_every=_SOON_S)
def _draw_soon() -> None:
    """Shows nothing; when the browser asks for it anew, the page is made again, whole, and it is asked for no more."""
    if _HAS_COME in st.session_state:
        st.rerun()
    st.session_state[_HAS_COME] = True


def _table(bar: Any, session: Session, frame: pd.DataFrame, scores: pd.DataFrame, suites: Sequence[str]) -> None:
    t = session.t
    total = [] if frame["score"].isna().all() else ["score"]
    columns = [*total, *suites, "energy_joules", "verdict", *_ABOUT]
    usual = columns[:-2]
    title = partial(_title, session)
    with bar.popover(t("Columns"), icon=":material/view_column:"):
        shown = choose_many(st, t("Columns"), columns, "columns", default=usual, shown=title, wrap=True)
        by = choose_one(st, t("Sort by"), ["rank", "checkpoint", *columns], "sort", shown=title)
    ordered = frame if by == "rank" else frame.sort_values(by, kind="stable", ascending=_ascending(by, scores))
    first = ["rank", "checkpoint"] if total else ["checkpoint"]
    view = ordered[[*first, *[name for name in columns if name in shown]]].reset_index(drop=True)
    config: dict[str, Any] = {
        **({"rank": st.column_config.NumberColumn(t("rank"), width=56, pinned=True)} if total else {}),
        "checkpoint": st.column_config.TextColumn(t("checkpoint"), width=_NAME, pinned=True),
        **{name: _number_column(session, name, scores) for name in columns if name in view},
    }
    styled = _styled(session, view, ordered, [name for name in ("score", *suites) if name in view])
    picked = st.dataframe(
        styled,
        hide_index=True,
        placeholder="",
        column_config=config,
        on_select="rerun",
        selection_mode="multi-row",
        key="board",
    )
    _picked(session, [ordered["run_id"].iloc[row] for row in picked["selection"]["rows"]])


def _styled(session: Session, view: pd.DataFrame, ordered: pd.DataFrame, scored: Sequence[str]) -> Any:
    """Numbers stay numbers, so that a click on a header sorts them; what is read is value and interval."""
    t, styled = session.t, view.style
    shown = {name: intervals(ordered, name) for name in scored}
    if "energy_joules" in view:
        shown["energy_joules"] = [
            "" if pd.isna(joules) else f"{number(joules)} ({t(basis)})"
            for joules, basis in zip(ordered["energy_joules"], ordered["energy_basis"], strict=True)
        ]
    for name, texts in shown.items():
        styled = styled.format(_in_turn(view[name], texts), subset=[name])
    names = [str(name) for name in view["checkpoint"]]
    cut = dict(zip(names, apart(names, _LETTERS), strict=True))
    styled = styled.format(lambda name: cut[str(name)], subset=["checkpoint"])
    if "parameters_millions" in view:
        styled = styled.format(_parameters, subset=["parameters_millions"])
    return styled.format(_verdict, subset=["verdict"]) if "verdict" in view else styled


def _in_turn(values: "pd.Series[Any]", texts: Sequence[str]) -> Callable[[Any], str]:
    """What is said of a value; of equal ones in the order of their rows. A formatter a cell would take a second."""
    said: dict[Any, deque[str]] = {}
    for value, text in zip(values, texts, strict=True):
        said.setdefault(None if pd.isna(value) else float(value), deque()).append(text)

    def tell(value: Any) -> str:
        turns = said[None if pd.isna(value) else float(value)]
        turns.rotate(-1)
        return turns[-1]

    return tell


def _parameters(value: Any) -> str:
    return "" if pd.isna(value) else number(float(value))


def _verdict(value: Any) -> str:
    return "" if not isinstance(value, str) else _MARKS.get(value, elided(value))


def _picked(session: Session, run_ids: Sequence[str]) -> None:
    """Where to go with the rows that are ticked."""
    t = session.t
    if not run_ids:
        st.caption(t(_TICK))
        return
    with st.container(horizontal=True):
        if len(run_ids) == 1:
            link("run", t("Open the run"), icon=":material/description:", run=run_ids[0])
            link("samples", t("Its samples"), icon=":material/list_alt:", run=run_ids[0])
            link("history", t("Its history"), icon=":material/timeline:", run=run_ids[0])
        elif len(run_ids) == 2:
            link("compare", t("Compare the two"), icon=":material/compare_arrows:", first=run_ids[0], second=run_ids[1])
        if len(run_ids) > 1:
            link("tradeoffs", t("Their trade-offs"), icon=":material/balance:", runs=",".join(run_ids))


def _number_column(session: Session, name: str, scores: pd.DataFrame) -> Any:
    t, title = session.t, _title(session, name)
    if name not in ("kind", "dtype", "date", "verdict"):
        of_suite = scores[scores["suite"] == name]
        if len(of_suite):
            first = of_suite.iloc[0]
            best = aim(first["direction"], first["target"])
            guessed = " / ".join(map(number, sorted(set(of_suite["chance"].dropna()))))
            metric = session.words.of(name).metric(first["metric"])
            help_text = f"{escaped(metric)} ({escaped(t(first['unit']))}), {t('best')}: {best}"
            chance = f" · {t('chance')} {guessed}" if guessed else ""
            return st.column_config.NumberColumn(f"{title} {best}{chance}", help=help_text)
        return st.column_config.NumberColumn(title)
    return st.column_config.TextColumn(title)


def _ascending(by: str, scores: pd.DataFrame) -> bool:
    """The best first, where there is a best."""
    of_suite = scores[scores["suite"] == by]
    if len(of_suite):
        return bool(of_suite["direction"].iloc[0] == "lower")
    return by not in ("score", "date")


def _title(session: Session, name: str) -> str:
    t = session.t
    titles = {
        "rank": t("rank"),
        "checkpoint": t("checkpoint"),
        "kind": t("kind"),
        "dtype": "dtype",
        "parameters_millions": t("parameters (M)"),
        "date": t("date"),
        "score": t("weighted score"),
        "energy_joules": t("energy (J) ↓"),
        "verdict": t("last gate"),
    }
    return titles.get(name) or session.title(name)


def _say_apart(session: Session, chosen: pd.DataFrame, comparable: pd.DataFrame, names: Mapping[str, str]) -> None:
    """On top, in a line each, what doesn't rank; why stands at the end of the page."""
    t, others = session.t, comparable[comparable["apart"].notna()]
    failed = chosen[chosen["status"] != "verified"]
    for said, rows in (
        (t("Set apart, since they were asked something else, so they don't compare ({n}): {names}"), others),
        (t("Not trusted, since their records fail verification ({n}): {names}"), failed),
    ):
        if len(rows):
            named = [names[one] for one in rows["run_id"]]
            more = f" … (+{len(named) - _NAMED})" if named[_NAMED:] else ""
            told = said.format(n=len(rows), names=escaped(", ".join(named[:_NAMED]), 200) + more)
            (st.info if rows is others else st.warning)(told)


def _set_apart(session: Session, chosen: pd.DataFrame, comparable: pd.DataFrame, names: Mapping[str, str]) -> None:
    t = session.t
    others, failed = comparable[comparable["apart"].notna()], chosen[chosen["status"] != "verified"]
    for title, said, rows, why in (
        (
            t("Set apart"),
            t("These runs were asked something else, so no rank would be fair. What a ranked run has is said first."),
            others,
            "apart",
        ),
        (t("Not trusted"), t("These records fail verification: they rank nowhere."), failed, "reason"),
    ):
        if len(rows):
            st.subheader(title)
            st.caption(said)
            ids, reasons = list(rows["run_id"]), list(session.reasons(rows, why))
            for run_id, reason in list(zip(ids, reasons, strict=True))[:_NAMED]:
                st.markdown(f"**{escaped(names[run_id])}** ({escaped(run_id)}): {escaped(reason or '', _REASON)}")
            if len(ids) > _NAMED or any(len(one or "") > _REASON for one in reasons):
                with st.expander(t("All of them, in full")):
                    shown = {t("checkpoint"): [names[one] for one in ids], t("run"): ids, t("why"): reasons}
                    shown_table(pd.DataFrame(shown), key=why)
