"""How long a person waits for the leaderboard: a real server and Chromium over a folder of many indexed runs.

Used by `benchmarks.leaderboard_scale`. A page counts as there when its table is on the screen and the app is at rest.
"""

import os
import statistics
import time
from pathlib import Path

from tests.leaderboard.browser import Reader, launched, served

__all__ = ["seconds_seen"]

ROUNDS = 5
_THERE = """() => document.querySelector('[data-testid="stDataFrame"] canvas')
    && document.querySelector('[data-testid="stApp"]').dataset.testScriptState === 'notRunning'"""


def seconds_seen(folder: Path, paths: dict[str, str]) -> dict[str, tuple[float, float]]:
    """For each path of the app: the first time on a server that has just started, and the median of those after."""
    with launched() as browser, served(folder, Path(os.devnull), "--no-index") as url:
        return {name: _seen(Reader(browser, url), path) for name, path in paths.items()}


def _seen(reader: Reader, path: str) -> tuple[float, float]:
    times = []
    for _ in range(ROUNDS + 1):
        began = time.perf_counter()
        reader.page.goto(f"{reader.url}/{path}", wait_until="commit")
        reader.page.wait_for_function(_THERE, timeout=60_000)
        times.append(time.perf_counter() - began)
        reader.page.goto("about:blank")
    reader.context.close()
    return times[0], statistics.median(times[1:])
