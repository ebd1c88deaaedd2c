"""A run on one screen: the gate's verdict, one score a dimension, and what to worry about."""

from functools import partial

import pandas as pd
import streamlit as st

from harness.charts import scorecard
from harness.core.text.display import number
from harness.record import RunRecord
from leaderboard.data import queries
from leaderboard.data.points import WHOLE_RUN
from leaderboard.data.scorecard import scorecard_rows
from leaderboard.parts import drawing, estimate_table, shown_table, titled_table
from leaderboard.report import worries_of
from leaderboard.session import Session, contexts_of
from leaderboard.words import escaped

__all__ = ["at_a_glance"]

_FIRST = 3
"""Worries that are read at once; the others are a click away."""
_LONGEST = 320
"""Characters of a worry that are read at once."""

_RULE = (
    *("verdict", "rule", "value", "low", "high", "bound", "margin", "n", "n_needed"),
    *("reason", "severity", "group"),
)


def at_a_glance(session: Session, estimates: pd.DataFrame, record: RunRecord | None, run_id: str) -> None:
    """Show it; `estimates` are the run's, as the store has them."""
    verdicts = queries.verdicts(session.store, [run_id])
    _verdict(session, verdicts)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        _scores(session, estimates, record)
    with right:
        _worries(session, record)
        _rules(session, verdicts)


def _scores(session: Session, estimates: pd.DataFrame, record: RunRecord | None) -> None:
    t = session.t
    heads = estimates[estimates["is_headline"] & estimates["applies"] & estimates["group"].isna()]
    if record is not None:
        rows = scorecard_rows(record.estimate_list, contexts_of(record), record.metrics)
        if len(rows):
            pairs = zip(rows["suite"], rows["metric"], strict=True)
            titled = rows.assign(
                title=list(map(session.title, rows["suite"])),
                metric=[session.words.of(suite).metric(metric) for suite, metric in pairs],
            )
            drawing(session, partial(scorecard, titled, session.theme, t.code), key="scorecard")
    with st.expander(t("The scores as a table"), expanded=record is None):
        named = heads.assign(task=[session.title(suite) for suite in heads["suite"]])
        table = estimate_table(session, named, contexts_of(record))
        shown_table(table.rename(columns={t("task"): t("suite")}), key="glance")
    energy = estimates[(estimates["task"] == WHOLE_RUN) & (estimates["metric"] == "energy_joules")]
    if len(energy) and pd.notna(energy["value"].iloc[0]):
        joules, basis = number(float(energy["value"].iloc[0])), t(energy["basis"].iloc[0])
        st.caption(t("Energy of the run: {joules} J ({basis})", joules=joules, basis=basis))


def _verdict(session: Session, verdicts: pd.DataFrame) -> None:
    """What the last gate said."""
    t = session.t
    if verdicts.empty:
        st.caption(t("No gate has judged this run."))
        return
    last = verdicts.iloc[0]
    say = {"PASS": st.success, "FAIL": st.error}.get(last["verdict"], st.warning)
    say(f"{escaped(last['verdict'])}: {escaped(last['policy'])} ({escaped(last['decided_at'])})")


def _rules(session: Session, verdicts: pd.DataFrame) -> None:
    """How it came to that, rule by rule."""
    t = session.t
    if verdicts.empty:
        return
    last = verdicts.iloc[0]
    with st.expander(t("Rules of the gate")):
        rules = queries.verdict_rules(session.store, [str(last["run_id"])])
        rules = rules[rules["verdict_position"] == last["position"]]
        of_last = rules.assign(reason=session.reasons(rules))[list(_RULE)].dropna(axis="columns", how="all")
        titled_table(session, of_last, key="rules")


def _worries(session: Session, record: RunRecord | None) -> None:
    """What a signer must know, the weightiest first: what the report's first page says."""
    t = session.t
    if record is None:
        return
    found = _found(record, str(record.folder), t.code)
    if not found:
        st.markdown(f"**{t('No rule of the report found anything to worry about.')}**")
        return
    st.markdown(f"**{t('What a signer must know')}**")
    for place, said in enumerate(found[:_FIRST], 1):
        st.markdown(f"{place}. {escaped(_brief(said), _LONGEST)}")
    if found[_FIRST:]:
        with st.expander(t("{n} more, and all in full", n=len(found) - _FIRST)):
            for place, said in enumerate(found, 1):
                st.markdown(f"{place}. {escaped(said, 4_000)}")


def _brief(said: str) -> str:
    """The beginning of a worry: what it is about stands there, and likewise what else it is true of behind it."""
    if len(said) <= _LONGEST:
        return said
    return f"{said[: _LONGEST - 2].rpartition(' ')[0] or said[: _LONGEST - 2]} …"


@st.cache_data(show_spinner=False, max_entries=64)
def _found(_record: RunRecord, folder: str, code: str) -> list[str]:  # noqa: ARG001
    return worries_of(_record, code)
