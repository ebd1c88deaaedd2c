"""What the reader of the leaderboard can turn: filters, the suites' version, weights. All of it stands in the URL."""

from collections.abc import Collection, Mapping, Sequence
from math import isfinite
from typing import Any

import pandas as pd
import streamlit as st

from leaderboard.address import as_in_address, choose_many, choose_one, in_address, part_in_address, put
from leaderboard.data.board import Filters
from leaderboard.session import Session
from leaderboard.words import escaped

__all__ = ["filters_of", "reference_of", "weights_of"]

_WEIGHTS = 10.0
_VERSIONS = (
    "Scores compare only where tasks, data, exemplars and versions are the same. Usually the version that most runs "
    "have is shown."
)


def weights_of(bar: Any, session: Session, suites: Sequence[str], known: Collection[str]) -> dict[str, float]:
    """How much each of the suites counts; where the address weighs one that isn't `known` at all, the page says so."""
    t = session.t
    given = in_address("weights", dict[str, float](), _parsed)
    if unknown := [suite for suite in given if suite not in known]:
        st.warning(t("The address weighs what no run here has a score for: {names}", names=escaped(", ".join(unknown))))
    with bar.popover(t("Weights"), icon=":material/tune:"):
        st.caption(t("How much each dimension counts in the weighted score; 0 leaves it out."))
        columns = st.columns(3)
        weights = {
            suite: columns[place % 3].slider(
                escaped(session.title(suite)),
                0.0,
                _WEIGHTS,
                step=0.5,
                **part_in_address(f"weight of {suite}", min(given.get(suite, 1.0), _WEIGHTS), of="weights"),
            )
            for place, suite in enumerate(suites)
        }
    changed = {suite: weight for suite, weight in weights.items() if weight != 1.0}
    put("weights", ",".join(f"{suite}:{weight:g}" for suite, weight in changed.items()) or None)
    return weights


def _parsed(raw: str) -> dict[str, float] | None:
    try:
        found = {suite: float(weight) for suite, _, weight in (one.rpartition(":") for one in raw.split(","))}
    except ValueError:
        return None
    return {suite: max(weight, 0.0) for suite, weight in found.items()} if all(map(isfinite, found.values())) else None


def filters_of(bar: Any, session: Session, known: pd.DataFrame) -> Filters:
    """Which checkpoints the reader wants to see."""
    t = session.t
    with bar.popover(t("Filters"), icon=":material/filter_list:"):
        columns = st.columns(2)
        text = columns[0].text_input(t("Name or run id"), **as_in_address("q", "", str))
        put("q", text or None)
        kinds = choose_many(columns[1], t("Kind"), sorted(set(known["kind"].dropna())), "kind")
        languages = choose_many(
            columns[0],
            t("Language of the tasks"),
            sorted({one for spoken in known["languages"] for one in spoken}),
            "language",
        )
        sizes = known["parameter_count"].dropna() / 1e6
        largest = float(sizes.max()) if len(sizes) else 0.0
        most = as_in_address("max_size", largest, _size)
        upper = columns[1].number_input(t("At most so many million parameters"), min_value=0.0, **most)
        put("max_size", None if upper >= largest else f"{upper:g}")
        verified = columns[0].toggle(
            t("Verified records only"), **as_in_address("verified", True, lambda raw: raw != "0")
        )
        put("verified", None if verified else "0")
    return Filters(
        kinds=kinds,
        languages=languages,
        largest=float("inf") if upper >= largest else upper,
        verified_only=verified,
        text=text,
    )


def _size(raw: str) -> float | None:
    try:
        size = float(raw)
    except ValueError:
        return None
    return max(size, 0.0) if isfinite(size) else None


def reference_of(bar: Any, session: Session, run_ids: Sequence[str], names: Mapping[str, str]) -> str | None:
    """The run that the others must compare with; None for what most have."""
    t, usual = session.t, ""
    with bar.popover(t("Suite version"), icon=":material/rule:"):
        st.caption(t(_VERSIONS))
        chosen = choose_one(
            st,
            t("Show what compares with"),
            [usual, *run_ids],
            "like",
            shown=lambda run_id: names.get(run_id, t("what most runs have")),
        )
    return chosen or None
