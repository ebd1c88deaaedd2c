"""A real browser: Chromium, as people have it."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

SHOTS = Path(__file__).parents[2] / "build" / "screenshots"
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
# Streamlit looks for its own server below a deep link's path first; that answers 404, then the right one is asked.
_EXPECTED = re.compile(r"/_stcore/(health|host-config)$")


@contextmanager
def launched() -> Iterator[Browser]:
    """Chromium without a window; a test that needs it is skipped where it isn't installed, but fails under CI."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        message = "no Chromium: `apt-get install chromium` (Debian), or put one named chromium on the PATH"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(_FLAGS))
        yield browser
        browser.close()


@contextmanager
def served(records: Path, log: Path, *options: str) -> Iterator[str]:
    """`harness leaderboard` over the records on a free port: its address. What it prints goes to the file `log`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "harness", "leaderboard", "--records", str(records), "--port", str(port), *options]
    address = f"http://127.0.0.1:{port}"
    with log.open("w") as told:
        server = subprocess.Popen(command, stdout=told, stderr=told, env={**os.environ, "OMP_NUM_THREADS": "1"})
        try:
            for _ in range(240):
                try:
                    urllib.request.urlopen(f"{address}/_stcore/health", timeout=1).read()
                    break
                except OSError:
                    assert server.poll() is None, log.read_text()
                    time.sleep(0.25)
            yield address
        finally:
            server.terminate()
            server.wait(timeout=20)


class Reader:
    """Someone who looks at the leaderboard; `complaints`: what the console says, and what was asked of other hosts."""

    def __init__(self, browser: Browser, url: str, *, width: int = 1280, theme: Any = "light") -> None:
        self.url, self.width, self.theme = url, width, theme
        self.context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme, locale="en-GB", accept_downloads=True
        )
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._asked)
        self.page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not _EXPECTED.search(message.location.get("url", "")):
            self.complaints.append(message.text)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.url, "data:", "blob:", self.url.replace("http", "ws"))):
            self.complaints.append(f"asked {request.url}")

    def open(self, path: str) -> None:
        """Go to a page and wait until it is whole."""
        self.page.goto(f"{self.url}/{path}")
        self.page.locator('[data-testid="stMain"] h1').first.wait_for(timeout=30_000)
        self.settle()

    def settle(self) -> None:
        """Wait until the app has run through."""
        running = '[data-testid="stApp"][data-test-script-state="running"]'
        self.page.wait_for_timeout(150)
        self.page.wait_for_function(f"!document.querySelector('{running}')", timeout=60_000)
        self.page.wait_for_timeout(250)

    def texts(self, count: int) -> list[str]:
        """The texts of unknown origin on the page, once so many are there, as they are."""
        shown = self.page.locator('[data-testid="stCode"]')
        shown.nth(count - 1).wait_for(timeout=30_000)
        return [one.strip() for one in shown.all_inner_texts()]

    def cells(self, place: int = 0) -> list[list[str]]:
        """A table's rows as they are read out, its header first."""
        script = "grid => [...grid.querySelectorAll('tr')].map(row => [...row.children].map(cell => cell.textContent))"
        grid = self.page.locator('[data-testid="stDataFrame"]').nth(place)
        grid.locator("table tr").nth(1).wait_for(state="attached", timeout=15_000)
        rows: list[list[str]] = grid.evaluate(script)
        return rows

    def column(self, name: str, place: int = 0) -> list[str]:
        """A table's cells below the header `name`."""
        header, *rows = self.cells(place)
        return [row[header.index(name)] for row in rows]

    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        script = """() => { const main = document.querySelector('[data-testid="stMain"]');
            const window = document.documentElement.scrollWidth - innerWidth;
            return Math.max(window, main.scrollWidth - main.clientWidth); }"""
        return int(self.page.evaluate(script))

    def picture(self, name: str) -> None:
        """Keep a screenshot of the whole page for people, where HARNESS_SCREENSHOTS is set; it takes a second."""
        if "HARNESS_SCREENSHOTS" not in os.environ:
            return
        SHOTS.mkdir(parents=True, exist_ok=True)
        height = self.page.evaluate("""document.querySelector('[data-testid="stMain"]').scrollHeight""")
        self.page.set_viewport_size({"width": self.width, "height": max(900, min(int(height), 4000))})
        self.page.wait_for_timeout(300)
        self.page.screenshot(path=SHOTS / f"{name}-{self.theme}-{self.width}.png")
        self.page.set_viewport_size({"width": self.width, "height": 900})
