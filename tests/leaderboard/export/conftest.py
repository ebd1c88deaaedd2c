"""An export of two runs that compare, one that doesn't, one that means harm, and one that was changed."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from harness.core.process.progress import Quiet
from harness.core.tasks import Suite
from harness.record import RunRecord
from harness.store import Store, index_folder, locate
from leaderboard.export.site import BoardExport
from tests.store.records import make_record

HOSTILE = (
    "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    "<!--]]>{{ 7 * 7 }}{% raw %} javascript:alert(1) '\"` \u2028 \u202eright\u202c \x00 ${1}"
)


class _Harmful(Suite):
    name = "../../<b onclick=x>"
    tasks = ("../</script><img src=x onerror=x>",)
    headline = ((tasks[0], "acc"),)


HARMFUL: Sequence[Suite] = (_Harmful(),)


@dataclass(frozen=True, slots=True)
class Exported:
    """Where the runs are, and where their export is; `alpha` and `beta` answer the same, and are of one training."""

    runs: Path
    folder: Path
    alpha: RunRecord
    beta: RunRecord
    shots: RunRecord
    hostile: RunRecord

    @property
    def files(self) -> dict[str, bytes]:
        """Every file by its path."""
        return contents(self.folder)


def contents(folder: Path) -> dict[str, bytes]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def export(runs: Path, folder: Path, *, samples: bool = True) -> None:
    with Store(locate(None, runs)) as store:
        index_folder(store, runs)
    BoardExport().write(None, runs, folder, samples=samples, progress=Quiet())


def called(script: bytes) -> list[object]:
    """The arguments of the call that a script of an export is."""
    text = script.decode("utf-8")
    return list(json.loads(f"[{text[text.index('(') + 1 : text.rindex(')')]}]"))


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    root = tmp_path_factory.mktemp("export")
    runs = root / "runs"
    made = {
        name: make_record(
            runs,
            model=f"./{name}",
            fingerprint=name[0] * 64,
            right=right,
            n=60,
            started_at=f"2026-11-0{step}T10:00:00+00:00",
            change=partial(replace, lineage="training", step=1000 * step),
        )
        for name, right, step in (("alpha", 0.3, 1), ("beta", 0.9, 2))
    }
    shots = make_record(runs, model="./shots", fingerprint="9" * 64, num_fewshot=3)
    hostile = make_record(
        runs, model=HOSTILE, fingerprint="e" * 64, text=HOSTILE, invalid=HOSTILE, suites=HARMFUL, seed=5, n=4
    )
    changed = make_record(runs, model="./changed", fingerprint="c" * 64)
    (changed.folder / "estimates.json").write_text("[]")
    export(runs, root / "board")
    return Exported(runs, root / "board", made["alpha"], made["beta"], shots, hostile)
