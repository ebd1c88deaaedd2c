"""How long the leaderboard takes to open, and a page of samples to be found, in a store of many runs.

    python -m benchmarks.leaderboard_scale --write

Makes runs in a scratch folder (1,000 of 50 checkpoints, 5,000,000 rows of requests and answers), indexes them as
`harness index` does, and times the queries behind the pages against reading the same from the records with pandas,
and both pages as a person sees them: a server, Chromium, until the table is on the screen.
Each checkpoint's record is made whole; its further runs have the same rows under a spec and a date of their own.
"""

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd

from benchmarks.leaderboard_seen import seconds_seen
from benchmarks.page import put
from harness.core.tasks import Suite
from harness.core.text.hashing import canonical_json, file_digest
from harness.record import RunRecord
from harness.record.parts import PARTS
from harness.record.seal import SAMPLES, SEAL
from harness.store import Store, index_folder, locate
from leaderboard.data import queries
from leaderboard.data.samples import SampleQuery, samples_page
from tests.store.records import make_record

SUITES = [
    type("Made", (Suite,), {"name": f"suite{n}", "tasks": (f"task{n}",), "headline": ((f"task{n}", "acc"),)})()
    for n in range(10)
]
ROUNDS = 5
SEEN = [("", 0), ("", len(SUITES)), ("samples?task=suite7/task7&outcome=wrong&q=BIRD SINGS&confidence=0.5-1", 0)]
"""Paths of pages, and how many charts each has to show."""
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"


def make_runs(folder: Path, runs: int, checkpoints: int, samples: int) -> None:
    """Sealed records: `runs / checkpoints` a checkpoint, a day apart."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for index in range(checkpoints):
        first = make_record(
            folder,
            model=f"org/model-{index}",
            fingerprint=f"{index:064x}",
            right=0.3 + 0.4 * index / checkpoints,
            n=samples,
            answers=index,
            suites=SUITES,
            parameter_count=10**6 * (index + 1),
            started_at=start.isoformat(),
        )
        for day in range(1, runs // checkpoints):
            _again(first, 64 + day, (start + timedelta(days=day)).isoformat())


def _again(record: RunRecord, batch_tokens: int, started_at: str) -> None:
    """A further run: the same files, but for its spec, its date and its seal."""
    spec = replace(record.spec, batch_tokens=batch_tokens)
    folder = record.folder.parent / spec.run_id
    folder.mkdir()
    for path in record.folder.iterdir():
        if path.name not in (SEAL, SAMPLES, PARTS):
            os.link(path, folder / path.name)
    changed = {"spec.json": spec.to_json(), "environment.json": {**record.environment, "started_at": started_at}}
    for name, value in changed.items():
        (folder / name).unlink()
        (folder / name).write_bytes(canonical_json(value))
    files = {
        path.name: file_digest(path) for path in folder.iterdir() if path.suffix in (".json", ".jsonl", ".parquet")
    }
    (folder / SEAL).write_bytes(canonical_json({"format": 1, "run_id": folder.name, "files": files}) + b"\n")


def open_page(folder: Path) -> int:
    """Everything that the leaderboard's first page asks for."""
    with queries.open_store(None, folder) as store:
        table = queries.checkpoints(store)
        ids = table.loc[table["status"] == "verified", "run_id"].tolist()
        apart = queries.comparability(store, ids)
        compared = apart.loc[apart["apart"].isna(), "run_id"].tolist()
        scored = queries.scores(store, compared)
        ranking = queries.ranking(store, compared, scored, {suite.name: 1.0 for suite in SUITES})
        queries.verdicts(store, ids)
    return len(ranking.frame)


def open_naively(folders: list[Path]) -> None:
    """The same from the records: every run's estimates, and the scores that neighbours are compared by."""
    for folder in folders:
        pd.DataFrame(json.loads((folder / "estimates.json").read_bytes()))
        json.loads((folder / "spec.json").read_bytes())
        pd.read_parquet(folder / "scores.parquet")


def find_samples(record: RunRecord) -> int:
    """A page of wrong answers with a word in their texts and a bound on confidence."""
    wanted = SampleQuery(
        suite="suite7", task="task7", metric="acc", outcome="wrong", text="BIRD SINGS", confidence_low=0.5
    )
    return samples_page(record, wanted, page=1, size=20).total


def find_naively(record: RunRecord) -> int:
    """The same with whole tables."""
    scores, asked = record.scores, record.samples
    texts = asked[asked["context"].str.lower().str.contains("bird sings")]
    chosen = scores[(scores["task"] == "task7") & (scores["value"] == 0)]
    return len(chosen[chosen["sample_id"].isin(texts["sample_id"])])


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """The first time, with nothing warm but the imports, and the median of those after."""
    times = []
    for _ in range(ROUNDS + 1):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return times[0], statistics.median(times[1:])


def measure(folder: Path, checkpoints: int) -> list[tuple[str, float, float, float | None, str]]:
    """Rows of the table: what, first, median, naive over median (None for what has no counterpart), aim."""
    folders = sorted(path.parent for path in folder.glob("*/seal.json"))
    record = RunRecord(folders[0])
    some = folders[:checkpoints]
    whole = seconds(lambda: open_naively(some))[1] * len(folders) / len(some)
    first, median = seconds(lambda: open_page(folder))
    page_first, page_median = seconds(lambda: find_samples(record))
    naive = seconds(lambda: find_naively(record))[1]
    board, charts, samples = seconds_seen(folder, SEEN)
    return [
        ("leaderboard: its queries", first, median, whole / median, ""),
        ("leaderboard in the browser", *board, None, "1 s"),
        ("leaderboard in the browser, a chart a dimension drawn", *charts, None, ""),
        ("samples, filtered and searched: the query", page_first, page_median, naive / page_median, ""),
        ("samples in the browser", *samples, None, "1 s"),
    ]


def main() -> None:
    """Measure, print, and write the page's section where asked to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--checkpoints", type=int, default=50)
    parser.add_argument("--samples", type=int, default=250, help="Samples a task; ten tasks, two requests a sample.")
    parser.add_argument("--folder", type=Path, help="Keep the runs here, and take those that are here already.")
    parser.add_argument("--write", action="store_true", help="Also write the section of docs/benchmarks.md.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.folder or Path(scratch) / "runs"
        if not folder.is_dir():
            make_runs(folder, given.runs, given.checkpoints, given.samples)
        began = time.perf_counter()
        with Store(locate(None, folder)) as store:
            count = len(index_folder(store, folder).verified)
        indexed = time.perf_counter() - began
        section = _section(count, given, measure(folder, given.checkpoints), indexed, folder)
    print(section)
    if given.write:
        put(PAGE, "leaderboard scale", section)


def _section(
    count: int,
    given: argparse.Namespace,
    rows: list[tuple[str, float, float, float | None, str]],
    indexed: float,
    folder: Path,
) -> str:
    day = datetime.now(UTC)
    rows_made = count * given.samples * len(SUITES) * 2
    size = sum(path.stat().st_size for path in folder.glob("index.sqlite*"))
    lines = [
        "## The leaderboard at scale",
        "",
        f"{day:%d %B %Y}: {count:,} runs of {given.checkpoints} checkpoints, {rows_made:,} rows of requests",
        f"and answers, SQLite ({size / 1e6:.0f} MB), {os.cpu_count()} logical CPUs, {platform.system()},",
        f"Python {platform.python_version()}; `python -m benchmarks.leaderboard_scale --write` measures again.",
        "",
        "| what | first time | median after | naive / ours | aimed at |",
        "|---|---|---|---|---|",
        *(
            f"| {what} | {first:.2f} s | {median:.2f} s | {'' if ratio is None else f'**{ratio:.1f}**'} | {aim} |"
            for what, first, median, ratio, aim in rows
        ),
        "",
        f"Indexing all of them, every record verified, took {indexed:.0f} s. Naive is reading the same from the",
        "records with pandas: estimates and scores of every run (measured on one run a checkpoint and multiplied),",
        "or both tables of a run. In the browser: from asking for the page until its table is on screen and the app",
        "at rest; the first time with a browser that has kept nothing, on a server that has just started. The charts",
        "follow a second after the table.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
