"""What Streamlit serves: the pages, behind the question who asks."""

from pathlib import Path

from starlette.middleware import Middleware
from streamlit.starlette import App

from leaderboard.hosts import NamedHosts

__all__ = ["app"]

app = App(Path(__file__).with_name("app.py"), middleware=[Middleware(NamedHosts.told)])
