"""How long a person waits for the leaderboard: a real server and Chromium over a folder of many indexed runs.

Used by `benchmarks.leaderboard_scale`. A page counts as there when its table is on the screen, with as many charts as
are asked for, and the app is at rest.
"""

import os
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from tests.leaderboard.browser import Reader, launched, served

__all__ = ["seconds_seen"]

ROUNDS = 5
_THERE = """charts => document.querySelector('[data-testid="stDataFrame"] canvas')
    && document.querySelectorAll('[data-testid="stVegaLiteChart"] .marks').length >= charts
    && document.querySelector('[data-testid="stApp"]').dataset.testScriptState === 'notRunning'"""


def seconds_seen(folder: Path, pages: Sequence[tuple[str, int]]) -> list[tuple[float, float]]:
    """For each path of the app and number of charts: the first time, and the median of those after.

    Each has a browser that has kept nothing; the first has a server that has just started.
    """
    with launched() as browser, served(folder, Path(os.devnull), "--no-index") as url:
        return [_seen(Reader(browser, url), path, charts) for path, charts in pages]


def _seen(reader: Reader, path: str, charts: int) -> tuple[float, float]:
    times = []
    for _ in range(ROUNDS + 1):
        began = time.perf_counter()
        reader.page.goto(f"{reader.url}/{path}", wait_until="commit")
        reader.page.wait_for_function(_THERE, arg=charts, timeout=60_000)
        times.append(time.perf_counter() - began)
        reader.page.goto("about:blank")
    reader.context.close()
    return times[0], statistics.median(times[1:])
