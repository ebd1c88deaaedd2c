"""How a command finds the run that its argument names."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.core.errors import InputError, RecordError, UnknownName

if TYPE_CHECKING:
    from harness.record import RunRecord

__all__ = ["Output", "Run", "find_folder", "find_run", "sealed_run", "spec_files"]

Output = Annotated[Path, typer.Option("--output", help="The folder that holds the runs.")]
Run = Annotated[str, typer.Argument(help="A run's folder, or the beginning of its id.")]


def find_run(name: str, folder: Path) -> "RunRecord":
    """The run in the folder `name`, or the one in `folder` whose id begins so. Raises `HarnessError`."""
    from harness.record import load_record

    return load_record(find_folder(name, folder))


def find_folder(name: str, folder: Path) -> Path:
    """The folder of the run that `find_run` would give, readable or not. Raises `HarnessError`."""
    with suppress(OSError):  # too long for a path, say: then it may still be no id either
        if any((Path(name) / file).exists() for file in ("spec.json", "seal.json")):
            return Path(name)
    known = [path.parent.name for path in spec_files(folder)]
    matching = [run_id for run_id in known if run_id.startswith(name)]
    if not matching:
        raise UnknownName(f"run in {folder}", name, known)
    if len(matching) > 1:
        raise InputError(
            f"begins {len(matching)} ids of runs in {folder}", place=name or "''", fix="Give more of the id"
        )
    return folder / matching[0]


def spec_files(folder: Path) -> list[Path]:
    """The spec of each run in the folder. Raises `RecordError` for a folder that can't be read."""
    try:
        return list(folder.glob("*/spec.json"))
    except OSError as error:
        raise RecordError(f"can't be read ({error.strerror})", place=folder, fix="Mend its permissions") from error


def sealed_run(name: str, folder: Path) -> "RunRecord":
    """As `find_run`. Raises `RecordError` for a run that is not sealed, or was changed since."""
    record = find_run(name, folder)
    if record.state != "sealed":
        raise RecordError(
            "the run is not finished",
            place=record.folder,
            fix="The `harness eval` command that began it goes on with it",
        )
    if changed := record.verify():
        raise RecordError("; ".join(changed), place=record.folder, fix="Do not rely on its scores")
    return record
