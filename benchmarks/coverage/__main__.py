"""`python -m benchmarks.coverage [--draws 1000] [--metric NAME] [--write]`."""

import argparse
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path

from benchmarks.coverage.page import markdown
from benchmarks.coverage.scenarios import scenarios
from benchmarks.coverage.simulation import Row, again, allowed, simulate
from benchmarks.page import put

PAGE = Path(__file__).parents[2] / "docs" / "coverage.md"


def main() -> None:
    """Draw, print each row as it is known, and write the page if that is wanted."""
    given = _arguments()
    rows: list[Row] = []
    for row in _rows(given.metric, given.draws, given.workers):
        rows.append(row)
        print(markdown([row]).splitlines()[-1], flush=True)
        if given.rows:
            with given.rows.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(row)) + "\n")
    if given.rows:
        rows = [Row(**json.loads(line)) for line in given.rows.read_text(encoding="utf-8").splitlines()]
    if given.write:
        put(PAGE, "coverage", markdown(rows))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage", description=__doc__)
    parser.add_argument("--draws", type=int, default=1000, help="samples drawn of each scenario")
    parser.add_argument("--metric", action="append", help="only the scenarios of this metric; may be repeated")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--rows", type=Path, help="a file of rows, one JSON object a line, to be added to")
    parser.add_argument("--write", action="store_true", help=f"write the table into {PAGE.name}")
    return parser.parse_args()


def _rows(metrics: Sequence[str] | None, draws: int, workers: int) -> Iterator[Row]:
    chosen = [index for index, scenario in enumerate(scenarios()) if metrics is None or scenario.metric.name in metrics]
    if workers == 1:
        for index in chosen:
            yield from _of(index, draws)
        return
    with ProcessPoolExecutor(workers) as pool:
        for found in pool.map(_of, chosen, [draws] * len(chosen)):
            yield from found


def _of(index: int, draws: int) -> list[Row]:
    return [row if allowed(row) else again(scenarios()[index], row) for row in simulate(scenarios()[index], draws)]


if __name__ == "__main__":
    main()
