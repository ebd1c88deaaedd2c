"""`harness leaderboard`: the pages that people look at."""

import importlib.metadata
import importlib.util
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from harness.core.errors import InputError

__all__ = ["leaderboard"]

_GROUP, _NAME = "harness.apps", "leaderboard"
_LOOPBACK = "127.0.0.1"


def leaderboard(
    store: Annotated[
        str | None, typer.Option(help="SQLite file or postgresql:// URL; index.sqlite in the records by default.")
    ] = None,
    records: Annotated[Path, typer.Option(help="The folder of runs; it is indexed first.")] = Path("runs"),
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8501,
    address: Annotated[str, typer.Option(help="Address to listen on; only this machine by default.")] = _LOOPBACK,
    index: Annotated[bool, typer.Option(help="Index the records before the start.")] = True,
) -> None:
    """Look at runs in a browser: ranks, trade-offs, single runs and samples, comparisons, history. It only reads.

    [bold]Examples[/bold]

    harness leaderboard

    harness leaderboard --store postgresql://team@db/harness --records /data/runs --port 8600
    """
    from harness.store import Store, index_folder, locate

    if index and records.is_dir():
        with Store(locate(store, records)) as opened:
            index_folder(opened, records)
    app = _app()
    environment = {**os.environ, "HARNESS_RECORDS": str(records.absolute())}
    if store is not None:
        environment["HARNESS_STORE"] = store
    options = {
        "server.address": address,
        "server.port": port,
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
        "browser.serverAddress": address,
        "client.toolbarMode": "viewer",
        "client.showErrorDetails": "none",
        "runner.magicEnabled": "false",
        "theme.light.primaryColor": "#0072B2",
        "theme.dark.primaryColor": "#56B4E9",
    }
    arguments = [sys.executable, "-m", "streamlit", "run", str(app)]
    arguments += [part for name, value in options.items() for part in (f"--{name}", str(value))]
    sys.stdout.flush()
    # The server takes the place of this process, so that signals reach it.
    os.execve(sys.executable, arguments, environment)


def _app() -> Path:
    """The script that Streamlit runs, found without importing it."""
    known = importlib.metadata.entry_points(group=_GROUP, name=_NAME)
    spec = importlib.util.find_spec(next(iter(known)).module) if known else None
    if spec is None or spec.origin is None:
        raise InputError("isn't installed", place="the leaderboard", fix="Install the harness again")
    return Path(spec.origin)
