"""Which run a page is about."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from leaderboard.address import choose_one
from leaderboard.data import queries
from leaderboard.data.names import labels
from leaderboard.parts import not_here
from leaderboard.session import Session

__all__ = ["ChosenRun", "chosen_run", "verified_runs"]


@dataclass(frozen=True, slots=True)
class ChosenRun:
    """A run's row of `queries.checkpoints`, and the name that each verified run is shown under, by run id."""

    row: pd.Series
    names: Mapping[str, str]

    @property
    def run_id(self) -> str:
        """The run's id."""
        return str(self.row["run_id"])


def verified_runs(session: Session, *, every_run: bool) -> pd.DataFrame | None:
    """The rows of `queries.checkpoints` that can be trusted; None where there is none, and the page says so."""
    known = queries.checkpoints(session.store, every_run=every_run)
    known = known[known["status"] == "verified"]
    return None if not_here(session, list(known["run_id"])) else known


def chosen_run(session: Session) -> ChosenRun | None:
    """The verified run that the URL or the reader names; None where none is here."""
    known = verified_runs(session, every_run=True)
    if known is None:
        return None
    names = labels(known)
    run_id = choose_one(
        st, session.t("Run"), list(known["run_id"]), "run", always=True, shown=lambda one: f"{names[one]} ({one})"
    )
    return ChosenRun(known[known["run_id"] == run_id].iloc[0], names)
