"""Draws what the README shows of a run, the score of each suite: `FORCE_COLOR=1 python docs/demo_image.py RUNS/RUN`."""

import io
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from harness.cli import console
from harness.cli.compact import print_scores
from harness.decision.context import score_contexts
from harness.record import load_record

IMAGE = Path(__file__).parent / "images" / "demo.svg"
WIDTH = 112
"""Columns of the drawn terminal."""

if __name__ == "__main__":
    record = load_record(Path(sys.argv[1]))
    console.output.width = WIDTH
    with console.output.capture() as printed:
        print_scores(record.estimate_list, score_contexts(record))
    suites, _, _ = printed.get().partition("\n\n")
    drawn = Console(file=io.StringIO(), width=WIDTH, record=True)
    drawn.print(Text.from_ansi(suites))
    # A fixed id: the same scores give the same bytes.
    title = f"harness eval --model {record.spec.model} --suite full"
    drawn.save_svg(str(IMAGE), title=title, theme=MONOKAI, unique_id="demo")
