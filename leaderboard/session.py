"""What every page needs: the store, where the records are, the language, the theme."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import streamlit as st

from harness.core.errors import HarnessError
from harness.core.reports.installed import suite_title
from harness.core.text.display import elided
from harness.core.text.reasons import unworded
from harness.core.text.translation import LANGUAGES
from harness.decision.context import ScoreContext, score_contexts
from harness.decision.keys import Key
from harness.record import RunRecord
from harness.report.words import Words
from harness.store import Store
from leaderboard.data import queries
from leaderboard.words import BoardWords, board_words

__all__ = ["RECORDS", "STORE", "Session", "choose_language", "contexts_of", "open_session", "record_of"]

STORE, RECORDS = "HARNESS_STORE", "HARNESS_RECORDS"
"""The environment variables by which `harness leaderboard` tells the app its options."""

_REMEMBERED_S = 300


@dataclass(frozen=True, slots=True)
class Session:
    """One reader's view of one store; `t` translates."""

    store: Store
    records: Path
    t: BoardWords
    theme: Literal["light", "dark"]

    def title(self, suite: str) -> str:
        """What people call a suite, in the reader's language."""
        return suite_title(suite, self.t.code)

    @property
    def words(self) -> Words:
        """How the report says things in the reader's language, reasons among them."""
        return Words("zh" if self.t.code == "zh" else "en")

    def reasons(self, rows: pd.DataFrame, column: str = "reason") -> "pd.Series[Any]":
        """The reasons in a column of rows, such as those of the store, in the reader's language; None without one."""
        say = self.words.reason
        made = rows["wording"] if "wording" in rows else [None] * len(rows)
        told = zip(rows[column], made, strict=True)
        said = [say(unworded(text, wording)) if isinstance(text, str) else None for text, wording in told]
        return pd.Series(said, index=rows.index, dtype=object)


def open_session(t: BoardWords) -> Session:
    """Open the store. Raises `HarnessError` where there is none."""
    records = Path(os.environ.get(RECORDS) or "runs")
    theme: Literal["light", "dark"] = "dark" if st.context.theme.type == "dark" else "light"
    return Session(_store(os.environ.get(STORE), records), records, t, theme)


def choose_language() -> BoardWords:
    """The language of the URL, else that chosen before, else the browser's; the sidebar changes it."""
    asked = st.query_params.get("lang") or st.session_state.get("interface_language")
    t = board_words(asked, st.context.locale)
    codes = list(LANGUAGES)
    chosen = st.sidebar.selectbox(
        "Language · 语言", codes, index=codes.index(t.code), format_func=LANGUAGES.__getitem__, key=f"in {t.code}"
    )
    st.session_state["interface_language"] = chosen
    t = board_words(chosen, st.context.locale)
    if chosen == t.usual:
        st.query_params.pop("lang", None)
    else:
        st.query_params["lang"] = chosen
    return t


def record_of(session: Session, run_id: str) -> RunRecord | None:
    """The verified record of a run; where it isn't here or was changed the page says so, and there is None."""
    try:
        return _record(session.store, run_id, str(session.records))
    except HarnessError as error:
        st.warning(session.t("The record of this run can't be used, so single samples can't be shown."))
        st.code(elided(str(error), 600), language=None, wrap_lines=True)
        return None


def contexts_of(record: RunRecord | None) -> Mapping[Key, ScoreContext]:
    """Where the scores of a run stand; nothing without its record."""
    return {} if record is None else _contexts(record, record.run_id)


@st.cache_resource(show_spinner=False)
def _store(store: str | None, records: Path) -> Store:
    return queries.open_store(store, records)


@st.cache_resource(show_spinner=False, max_entries=64)
def _contexts(_record: RunRecord, run_id: str) -> Mapping[Key, ScoreContext]:  # noqa: ARG001
    return score_contexts(_record)


@st.cache_resource(show_spinner=False, ttl=_REMEMBERED_S, max_entries=64)
def _record(_store: Store, run_id: str, records: str) -> RunRecord:
    return queries.record(_store, run_id, Path(records))
