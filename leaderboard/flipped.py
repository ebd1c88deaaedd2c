"""The samples that one of two runs has right and the other wrong, each a click away from both its answers."""

from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd
import streamlit as st

from harness.decision.flips import Flip
from leaderboard.links import link
from leaderboard.parts import downloads, titled_table
from leaderboard.session import Session
from leaderboard.words import escaped

__all__ = ["flipped_samples_of"]

_COLUMNS = ("change", "task", "gold", "first", "second", "prompt", "sample_id", "metric")
_HEIGHT = 320


def flipped_samples_of(session: Session, flips: Sequence[Flip], first: str, second: str) -> None:
    """Show them; `first` and `second` are the ids of the two runs."""
    t = session.t
    if not flips:
        st.info(t("No sample flipped."))
        return
    frame = pd.DataFrame([asdict(one) for one in flips])
    st.caption(t("Tick one to open it in both runs."))
    changes = {True: f"✓ {t('now right')}", False: f"✗ {t('now wrong')}"}
    told = frame.assign(change=frame["gained"].map(changes))[list(_COLUMNS)].dropna(axis="columns", how="all")
    picked = titled_table(session, told, key="flips", height=_HEIGHT, on_select="rerun", selection_mode="single-row")
    rows = [row for row in picked["selection"]["rows"] if row < len(flips)]
    if rows:
        _both(session, flips[rows[0]], first, second)
    downloads(session, frame, "flips")


def _both(session: Session, flip: Flip, first: str, second: str) -> None:
    """The sample as each of the runs answered it."""
    t = session.t
    about = {"task": f"{flip.suite}/{flip.task}", "metric": flip.metric, "sample": flip.sample_id}
    st.markdown(f"{escaped(flip.task)}, {escaped(t('Sample {id}', id=flip.sample_id))}")
    with st.container(horizontal=True):
        link("samples", t("As the baseline answered it"), icon=":material/list_alt:", run=first, **about)
        link("samples", t("As the candidate answered it"), icon=":material/list_alt:", run=second, **about)
