"""Follows a training run: `python examples/follow_training.py checkpoint-100 checkpoint-200 --suite quick`.

Evaluates each checkpoint, and says of each score whether it differs from the one before by more than chance.
"""

import argparse
from itertools import pairwise
from pathlib import Path

import harness


def main() -> None:
    """Evaluate the checkpoints in their order, and compare neighbours by task."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("checkpoints", nargs="+")
    parser.add_argument("--suite", default="quick")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--out", type=Path, default=Path("runs"))
    asked = parser.parse_args()

    options = harness.EvalOptions(output=asked.out, limit=asked.limit, meter="none")
    records = [harness.evaluate(name, suite=asked.suite, options=options) for name in asked.checkpoints]
    for (name, first), (following, second) in pairwise(zip(asked.checkpoints, records, strict=True)):
        print(f"{name} -> {following}")
        for one in harness.compare(first, second, groups=False).at("metric"):
            if one.first is not None and one.second is not None:
                print(f"  {one.task} {one.metric}: {one.first:.4g} -> {one.second:.4g}, {one.change}")


if __name__ == "__main__":
    main()
