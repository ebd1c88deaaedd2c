"""How a command finds the run that its argument names."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.core.errors import HarnessError, InputError, RecordError, UnknownName
from harness.core.process.paths import is_folder

if TYPE_CHECKING:
    from harness.record import RunRecord

__all__ = ["Output", "Run", "find_folder", "find_run", "sealed_run", "spec_files"]

Output = Annotated[Path, typer.Option("--records", "--output", help="The folder that holds the runs.")]
Run = Annotated[str, typer.Argument(help="A run: its folder, or the first characters of its id.")]


def find_run(name: str, folder: Path) -> "RunRecord":
    """The run in the folder `name`, or the one in `folder` whose id begins so. Raises `HarnessError`."""
    from harness.record import load_record

    return load_record(find_folder(name, folder))


def find_folder(name: str, folder: Path) -> Path:
    """The folder of the run that `find_run` would give, readable or not. Raises `HarnessError`."""
    from harness.record.opening import is_there

    if any(is_there(Path(name) / file) for file in ("spec.json", "seal.json")):
        return Path(name)
    known = {path.parent.name: path.parent for path in spec_files(folder)}
    matching = [found for run_id, found in known.items() if run_id.startswith(name)]
    if not matching:
        known |= _renamed(known.values())
        matching = [found for run_id, found in known.items() if run_id.startswith(name)]
    if not matching:
        fix = "Name the folder that holds the runs with --records" if not known else None
        raise UnknownName(f"run in {folder}{'' if is_folder(folder) else ', which is no folder'}", name, known, fix=fix)
    if len(matching) > 1:
        raise InputError(
            f"begins {len(matching)} ids of runs in {folder}", place=name or "''", fix="Give more of the id"
        )
    return matching[0]


def _renamed(folders: Iterable[Path]) -> dict[str, Path]:
    """Runs whose folders are called otherwise than by their ids, by id."""
    from harness.record import load_record

    found = {}
    for folder in folders:
        with suppress(HarnessError):
            found[load_record(folder).run_id] = folder
    return found


def spec_files(folder: Path) -> list[Path]:
    """The spec of each run in the folder. Raises `RecordError` for a folder that can't be read."""
    try:
        return list(folder.glob("*/spec.json"))
    except OSError as error:
        raise RecordError(f"can't be read ({error.strerror})", place=folder, fix="Fix its permissions") from error


def sealed_run(name: str, folder: Path) -> "RunRecord":
    """As `find_run`. Raises `RecordError` for a run that is not sealed, or was changed since."""
    record = find_run(name, folder)
    if record.state != "sealed":
        raise RecordError(
            "the run is not finished",
            place=record.folder,
            fix="Run the `harness eval` command that started it again: it continues",
        )
    if changed := record.verify():
        raise RecordError("; ".join(changed), place=record.folder, fix="Do not rely on its scores")
    return record
