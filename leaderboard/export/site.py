"""The whole export: which pages there are, and in which order they are made."""

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

from typing_extensions import override

from harness.core.errors import RecordError
from harness.core.process.progress import Progress
from harness.core.reports.boards import BoardSize, BoardWriter
from harness.decision.comparison import compare
from harness.store import Store
from leaderboard.data import queries
from leaderboard.data.names import labels
from leaderboard.export.board_page import board_page, ranked
from leaderboard.export.compare_page import compare_file, compare_page, pairs, pairs_page
from leaderboard.export.folder import Sheaf, fill_folder, refuse_foreign
from leaderboard.export.history_page import history_page, lineages
from leaderboard.export.run_page import put_run_file, run_file, run_page
from leaderboard.export.runs import BoardRuns
from leaderboard.export.samples import samples_by_task
from leaderboard.export.samples_page import Manifest, Places, put_samples, samples_file, samples_html
from leaderboard.export.tongue import CODES, Tongue
from leaderboard.export.tradeoffs_page import tradeoffs_page

__all__ = ["BoardExport"]

_ASSETS = ("board.css", "board.js", "samples.js")


class BoardExport(BoardWriter):
    """The leaderboard as files: the same bytes for the same records."""

    @override
    def write(self, store: str | None, records: Path, folder: Path, *, samples: bool, progress: Progress) -> BoardSize:
        """See `BoardWriter`."""
        refuse_foreign(folder)
        with queries.open_store(store, records) as opened, TemporaryDirectory(prefix="harness-board-") as scratch:
            held = _held(opened, records)
            sheaf = Sheaf(Path(scratch))
            _Site(held, sheaf, progress, with_samples=samples).make()
            fill_folder(sheaf, folder)
        sizes = sheaf.sizes_bytes
        return BoardSize(run_count=len(held.records), file_count=len(sizes), size_bytes=sum(sizes.values()))


def _held(store: Store, records: Path) -> BoardRuns:
    known = queries.checkpoints(store, every_run=True)
    sound = known[known["status"] == "verified"].reset_index(drop=True)
    if sound.empty:
        raise RecordError(
            "holds no finished run that can be trusted" if len(known) else "holds no finished run",
            place=records,
            fix="Evaluate a checkpoint with `harness eval`, or give another folder with --records",
        )
    found = {str(run_id): queries.record(store, str(run_id), records) for run_id in sound["run_id"]}
    return BoardRuns(store, sound, labels(known), found)


class _Site:
    """Makes the pages of an export, in every language."""

    def __init__(self, held: BoardRuns, sheaf: Sheaf, progress: Progress, *, with_samples: bool) -> None:
        self._held, self._sheaf, self._progress = held, sheaf, progress
        self._tongues = [Tongue.of(code) for code in CODES]
        self._with_samples = with_samples
        self._manifests: dict[str, Manifest] = {}
        self._places: dict[str, Places] = {}

    def make(self) -> None:
        """All of it, into the sheaf."""
        held, sheaf = self._held, self._sheaf
        self._progress.phase("pages")
        found = pairs(held)
        self._progress.begin(2 * len(held.records) + len(found))
        folder = files("leaderboard.export").joinpath("static")
        for name in _ASSETS:
            sheaf.put(f"assets/{name}", folder.joinpath(name).read_bytes())
        for run_id, record in held.records.items():
            if self._with_samples:
                put, places = put_samples(sheaf, record, samples_by_task(record, self._tongues))
                self._manifests[run_id], self._places[run_id] = put, places
            put_run_file(sheaf, held, run_id)
            self._progress.advance()
        order = ranked(held)
        self._put("index.html", lambda tongue: board_page(held, order, tongue))
        apart = dict(zip(order.apart["run_id"], order.apart["apart"], strict=True))
        for run_id in held.records:
            self._run(run_id, apart.get(run_id))
            self._progress.advance()
        for pair in found:
            self._compared(pair)
            self._progress.advance()
        self._put("compare.html", lambda tongue: pairs_page(held, found, tongue))
        self._put("tradeoffs.html", lambda tongue: tradeoffs_page(held, order, tongue, sheaf))
        descent = lineages(held)
        self._put("history.html", lambda tongue: history_page(held, descent, tongue, sheaf))

    def _run(self, run_id: str, apart: str | None) -> None:
        held, sheaf, manifest = self._held, self._sheaf, self._manifests.get(run_id)
        self._put(
            run_file(run_id),
            lambda tongue: run_page(
                held, run_id, tongue, sheaf, has_samples=bool(manifest), apart=tongue.reason(apart) or None
            ),
        )
        if manifest:
            self._put(samples_file(run_id), lambda tongue: samples_html(held, run_id, manifest, tongue, sheaf))

    def _compared(self, pair: tuple[str, str]) -> None:
        first, second = (self._held.records[one] for one in pair)
        comparison = compare(first, second, groups=False)
        self._put(
            compare_file(pair), lambda tongue: compare_page(self._held, comparison, self._places, tongue, self._sheaf)
        )

    def _put(self, name: str, made: Callable[[Tongue], str]) -> None:
        for tongue in self._tongues:
            self._sheaf.put(f"{tongue.home}{name}", made(tongue))
