"""The README's pictures of the board and of a pull-request comment, as a browser shows them.

    python -m benchmarks.seen RUNS --run RUN --sample SUITE/TASK/ID --candidate RUN --baseline RUN

RUNS is a folder of runs. The scorecard and --sample are of --run; the comment is what the action's own steps write when
--candidate is held against --baseline by the policy `default`.
"""

import argparse
import io
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

from markdown_it import MarkdownIt
from PIL import Image
from playwright.sync_api import Browser

from tests.leaderboard.browser import Reader, launched, served

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
WIDTH, HEIGHT = 1280, 860
_COMMENT_WIDTH = 860

_STYLE = """
body { font: 14px/1.5 system-ui, sans-serif; margin: 0; padding: 16px; color: #1f2328; background: #fff; }
article { border: 1px solid #d1d9e0; border-radius: 6px; }
header { background: #f6f8fa; border-bottom: 1px solid #d1d9e0; padding: 8px 16px; border-radius: 6px 6px 0 0; }
main { padding: 4px 16px; } code { background: #eff1f3; padding: 2px 5px; border-radius: 4px; font-size: 85%; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; }
table { border-collapse: collapse; } th, td { border: 1px solid #d1d9e0; padding: 5px 10px; text-align: left; }
a { color: #0969da; text-decoration: none; }
"""


def board(browser: Browser, runs: Path, run_id: str, sample: str) -> None:
    """The ranks, the scorecard of a run, and one of its samples, which is called SUITE/TASK/ID."""
    task, _, sample_id = sample.rpartition("/")
    asked = urlencode({"run": run_id, "task": task, "sample": sample_id})
    with served(runs, Path(os.devnull)) as url:
        reader = Reader(browser, url, width=WIDTH)
        for name, path in (
            ("leaderboard", ""),
            ("scorecard", f"run?run={run_id}"),
            ("samples", f"samples?{asked}"),
        ):
            reader.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
            reader.open(path)
            reader.page.wait_for_timeout(2500)
            if name == "samples":
                reader.page.get_by_role("heading", name=f"Sample {sample_id}").evaluate("one => one.scrollIntoView()")
                reader.page.wait_for_timeout(500)
            _keep(name, reader.page.screenshot())


def comment(browser: Browser, runs: Path, candidate: str, baseline: str) -> None:
    """What the action writes under a pull request."""
    text = comment_text(runs, candidate, baseline)
    body = MarkdownIt("commonmark", {"html": True}).enable("table").render(text.partition("\n")[2])
    page = browser.new_page(viewport={"width": _COMMENT_WIDTH, "height": 400})
    head = f"<!doctype html><style>{_STYLE}</style>"
    page.set_content(f"{head}<article><header><b>github-actions</b> bot</header><main>{body}</main></article>")
    _keep("comment", page.screenshot(full_page=True))


def comment_text(runs: Path, candidate: str, baseline: str) -> str:
    """The comment in Markdown, its mark in the first line, by the action's steps with a `gh` that does nothing."""
    with TemporaryDirectory() as scratch:
        here = Path(scratch)
        for name, line in (("harness", f'exec "{sys.executable}" -m harness "$@"'), ("gh", "exit 0")):
            (here / name).write_text(f"#!/bin/bash\n{line}\n")
            (here / name).chmod(0o755)
        (here / "runs").symlink_to(runs.absolute())
        environment = {
            **os.environ,
            "PATH": f"{here}:{os.environ['PATH']}",
            "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}",
            "RUN_ID": candidate,
            "BASELINE": f"runs/{baseline}",
            "POLICY": "default",
            "ARGUMENTS": "",
            "GITHUB_OUTPUT": os.devnull,
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_RUN_ID": "1",
            "GITHUB_REPOSITORY": "OWNER/REPOSITORY",
            "NUMBER": "1",
            "MODEL": "./my-checkpoint",
            "SUITE": "ci",
        }
        for step in ("judge", "comment"):
            script = ROOT / ".github" / "gate" / f"{step}.sh"
            subprocess.run(["bash", str(script)], cwd=here, env=environment, check=True, stdout=subprocess.DEVNULL)
        return (here / "comment.md").read_text(encoding="utf-8")


def _keep(name: str, png: bytes) -> None:
    """Few colours are enough, and make a small file."""
    picture = Image.open(io.BytesIO(png)).convert("RGB").quantize(128)
    picture.save(IMAGES / f"{name}.png", optimize=True)
    print(IMAGES / f"{name}.png")


def main() -> None:
    """Draw them all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path)
    for name in ("run", "sample", "candidate", "baseline"):
        parser.add_argument(f"--{name}", required=True, metavar="SUITE/TASK/ID" if name == "sample" else "RUN")
    given = parser.parse_args()
    with launched() as browser:
        board(browser, given.runs, given.run, given.sample)
        comment(browser, given.runs, given.candidate, given.baseline)


if __name__ == "__main__":
    main()
