"""The leaderboard, a Streamlit app: `harness leaderboard` starts it. It reads, and never writes."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from harness.core.errors import HarnessError, StoreError
from harness.core.text.display import elided
from leaderboard.session import Session, choose_language, open_session
from leaderboard.views import compare, history, ranks, run, samples, tradeoffs
from leaderboard.words import BoardWords

__all__ = ["main"]

# A file of ours: an icon of Streamlit's would be fetched from the network.
_ICON = Path(__file__).with_name("icon.svg")
# Streamlit's own download of a table takes formulas for what they are; ours (`leaderboard.downloads`) doesn't. And its
# margins are those of an essay: the tables here need the width.
_STYLE = """button[aria-label="Download as CSV"] {display: none}
@media (min-width: 768px) {
  [data-testid="stMainBlockContainer"] {padding: 3rem 2rem}
  [data-testid="stSidebar"][data-collapsed="false"] {width: 13.5rem !important; min-width: 13.5rem !important}
}"""


def main() -> None:
    """Open the store and show the page that the URL names."""
    st.set_page_config(page_title="Responsible-AI leaderboard", page_icon=_ICON, layout="wide")
    st.html(f"<style>{_STYLE}</style>")
    _sign_in()
    t = choose_language()
    try:
        session = open_session(t)
    except StoreError as error:
        _empty(t, error)
        return
    shown = [
        ("Leaderboard", "leaderboard", ranks.page, ":material/leaderboard:", ""),
        ("Trade-offs", "tradeoffs", tradeoffs.page, ":material/balance:", "tradeoffs"),
        ("Run", "run", run.page, ":material/description:", "run"),
        ("Samples", "samples", samples.page, ":material/list_alt:", "samples"),
        ("Compare", "compare", compare.page, ":material/compare_arrows:", "compare"),
        ("History", "history", history.page, ":material/timeline:", "history"),
    ]
    pages = {
        key: st.Page(_guarded(session, page), title=t(title), icon=icon, url_path=path, default=not path)
        for title, key, page, icon, path in shown
    }
    st.session_state["pages"] = pages
    st.navigation(list(pages.values())).run()


def _guarded(session: Session, page: Callable[[Session], None]) -> Callable[[], None]:
    """The page, whose faults in records and store become one message."""

    def show() -> None:
        try:
            page(session)
        except HarnessError as error:
            st.error(session.t("This can't be shown."))
            st.code(elided(str(error), 2_000), language=None, wrap_lines=True)

    return show


def _sign_in() -> None:
    """Ask for a sign-in where the team has set one up in Streamlit's secrets; see docs/leaderboard.md."""
    try:
        wanted = "auth" in st.secrets
    except FileNotFoundError:
        wanted = False
    if wanted and not st.user.get("is_logged_in", False):
        st.title("Responsible-AI leaderboard")
        st.button("Sign in", on_click=st.login)
        st.stop()


def _empty(t: BoardWords, error: StoreError) -> None:
    st.title(t("Leaderboard"))
    st.info(t("There is nothing to show yet. Evaluate a checkpoint, or fill the store from a folder of runs:"))
    st.code("harness eval --model smollm2-135m --suite quick\nharness index runs", language="bash")
    st.code(elided(str(error), 600), language=None, wrap_lines=True)


if __name__ == "__main__":
    main()
