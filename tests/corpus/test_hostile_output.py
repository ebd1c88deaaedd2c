"""Names, ids and texts that mean something to a terminal, a browser, a spreadsheet or a database stay texts."""

import csv
import json
from html.parser import HTMLParser

from tests.corpus.conftest import Runner
from tests.corpus.entry import EVAL, Scene

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '#read("/etc/passwd") #eval("1") $x$ @a',
    "=cmd|' /C calc'!A0",
    "'; DROP TABLE runs; --",
    "\u202egnp.exe\u202c",
    "\x1b[2J\x1b]0;owned\x07",
    "a\0b",
    "[bold red]x[/bold red] [link=file:///etc/passwd]y[/link]",
    "{{ 7 * 7 }} {% raw %} {0.__class__}",
)
NAME = "=1+1<script>alert(1)<script>\u202egnp\x1b[31m"


class Tags(HTMLParser):
    """Collects what a browser would take for tags."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_hostile_texts_are_shown_as_texts(scene: Scene, harness_limited: Runner) -> None:
    rows = [
        {"id": f"{text}{n}", "question": text, "options": [text, f"{text} home"], "gold": n % 2}
        for n, text in enumerate(HOSTILE)
    ]
    (scene.folder / "questions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    suite = (scene.folder / "mine.yaml").read_text()
    suite = suite.replace("    gold: gold\n", "    gold: gold\n    id: id\n")
    suite = suite.replace("description: Small tasks for tests.", f"description: {json.dumps(HOSTILE[0])}")
    (scene.folder / "mine.yaml").write_text(suite)
    scene.model.rename(scene.folder / NAME)
    command = [f"./{NAME}" if word == "model" else word for word in EVAL]
    command[command.index("--store") + 1] = "out/store.db"
    shown = harness_limited(scene, tuple(command))
    assert shown.exit_code == 0, shown
    run = str(next((scene.folder / "out").glob("*/seal.json")).parent)
    for arguments in (
        ("show", run, "--samples"),
        ("runs", "--output", "out"),
        ("report", run, "--html", "out/report.html", "--markdown", "out/report.md"),
        ("export", run, "--format", "csv", "--out", "out/scores.csv"),
        ("card", run, "--out", "out/README.md"),
        ("inspect", "--model", f"./{NAME}"),
    ):
        outcome = harness_limited(scene, arguments)
        assert outcome.exit_code == 0, (arguments, outcome)
        assert not [sign for sign in "\x1b\0\u202e\x07" if sign in outcome.stdout + outcome.stderr], arguments
        assert "Traceback" not in outcome.stderr
    assert not [sign for sign in "\x1b\0\u202e\x07" if sign in shown.stdout + shown.stderr]
    tags = Tags()
    tags.feed((scene.folder / "out" / "report.html").read_text())
    assert tags.found
    assert not [tag for tag, attrs in tags.found if tag == "script" or "onerror" in attrs]
    with (scene.folder / "out" / "scores.csv").open(newline="") as stream:
        cells = [cell for row in csv.reader(stream) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "@", "+", "\t", "-1+"))]
