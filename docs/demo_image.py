"""Draws what the README shows of a run: `python docs/demo_image.py RUNS/RUN`."""

import sys
from pathlib import Path

from rich.terminal_theme import MONOKAI

from harness.cli import console
from harness.cli.compact import print_scores
from harness.decision.context import score_contexts
from harness.record import load_record

IMAGE = Path(__file__).parent / "images" / "demo.svg"
WIDTH = 112
"""Columns of the drawn terminal."""

if __name__ == "__main__":
    record = load_record(Path(sys.argv[1]))
    console.output.width, console.output.record = WIDTH, True
    print_scores(record.estimate_list, score_contexts(record))
    # A fixed id: the same scores give the same bytes.
    title = f"harness eval --model {record.spec.model}"
    console.output.save_svg(str(IMAGE), title=title, theme=MONOKAI, unique_id="demo")
