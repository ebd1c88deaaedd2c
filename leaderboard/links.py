"""From one view to another."""

import streamlit as st

__all__ = ["link"]


def link(page: str, label: str, *, icon: str | None = None, **query: str) -> None:
    """A link to a page of the app with what it is to show; left out where the page runs by itself, as in a test."""
    known = st.session_state.get("pages", {})
    if page in known:
        language = st.query_params.get("lang")
        st.page_link(
            known[page], label=label, icon=icon, query_params={**query, **({"lang": language} if language else {})}
        )
