"""How long a person waits for the leaderboard: a real server and Chromium over a folder of many indexed runs.

Used by `benchmarks.leaderboard_scale`. A page counts as there when its table is on the screen and the app is at rest.
"""

import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.leaderboard.browser import Reader, launched

__all__ = ["seconds_seen"]

ROUNDS = 5
_START_S = 60
_THERE = """() => document.querySelector('[data-testid="stDataFrame"] canvas')
    && document.querySelector('[data-testid="stApp"]').dataset.testScriptState === 'notRunning'"""


def seconds_seen(folder: Path, paths: dict[str, str]) -> dict[str, tuple[float, float]]:
    """For each path of the app: the first time on a server that has just started, and the median of those after."""
    with launched() as browser, _server(folder) as url:
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


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "harness", "leaderboard", "--no-index"]
    server = subprocess.Popen(
        [*command, "--records", str(folder), "--port", str(port)], stdout=subprocess.DEVNULL, env=dict(os.environ)
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(_START_S * 10):
            try:
                urllib.request.urlopen(f"{url}/_stcore/health", timeout=1).read()
                break
            except OSError:
                time.sleep(0.1)
        yield url
    finally:
        server.terminate()
        server.wait(timeout=20)
