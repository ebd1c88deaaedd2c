"""`harness index`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.text import Text

from harness.cli.console import errors, output, print_json
from harness.cli.options import AsJson
from harness.cli.process.progress_bar import progress_bar
from harness.cli.runs import Output
from harness.core.errors import InputError
from harness.core.process.paths import is_folder
from harness.core.text.counts import numbered
from harness.run.options import STORE_HELP

if TYPE_CHECKING:
    from harness.store import Indexed

__all__ = ["index"]

_PARTIAL = 3


def index(
    folder: Annotated[Path | None, typer.Argument(help="The folder that holds the runs, as --records.")] = None,
    store: Annotated[str | None, typer.Option(help=escape(STORE_HELP))] = None,
    as_json: AsJson = False,
    output_folder: Output = Path("runs"),
) -> None:
    """Rebuild the index of a folder of runs from their records; `harness eval` adds each run when it finishes.

    Every record is verified. One that fails stays in the index with the reason, is ranked nowhere, and makes the exit
    code 3. Runs whose folders are gone are removed.

    [bold]Examples[/bold]

    harness index

    harness index --records runs --store postgresql://me@db.example/harness
    """
    from harness.store import fill, locate, shown_place

    folder = output_folder if folder is None else folder
    if not is_folder(folder):
        raise InputError("is not a folder", place=folder, fix="Give the folder that holds the runs")
    place = locate(store, folder)
    with progress_bar() as progress:
        progress.phase("verifying")
        found = fill(place, folder, progress)
    if as_json:
        print_json(
            {
                "store": shown_place(place),
                "verified": found.verified,
                "failed": found.failed,
                "unfinished": found.unfinished,
                "removed": found.removed,
            }
        )
    else:
        output.print(Text(_told(found, shown_place(place))))
    for run_id, reason in found.failed.items():
        errors.print(Text(f"harness: {run_id} can't be trusted: {reason}"))
    if found.failed:
        raise typer.Exit(_PARTIAL)


def _told(found: "Indexed", place: str) -> str:
    parts = [f"{numbered(len(found.verified), 'run')} verified and indexed"]
    if found.failed:
        parts.append(f"{len(found.failed)} indexed as failed")
    if found.unfinished:
        parts.append(f"{len(found.unfinished)} unfinished, left out")
    if found.removed:
        parts.append(f"{len(found.removed)} removed, as their folders are gone")
    return f"{', '.join(parts)}: {place}"
